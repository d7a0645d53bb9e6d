"""The fastest setting of an approximate index that finds enough.

The known rules are where it begins: about sqrt(n) leaves, more candidates scored again than are
asked for. From there the number of leaves that a query reads is doubled until the target is
reached, and then halved in between.
"""

import dataclasses
import logging
import math
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from serving.index.ivf import IvfIndex
from serving.index.leaves import choose_leaf_count
from serving.index.measurement import (
    RECALL_DEPTH,
    ExactAnswers,
    compute_ann_recall,
    measure_median_ms,
    trace_search,
)
from serving.index.scann import ScannIndex

ApproximateIndex = IvfIndex | ScannIndex
_LEAF_FACTORS = (1.0, 2.0, 0.5)
_STANDARD_ERRORS = 3
_log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class IndexSetting:
    """What an approximate index is built and asked with."""

    leaves: int
    probes: int
    reordering: int
    """Candidates scored again exactly; 0 where the index has exact scores already."""


@dataclasses.dataclass(frozen=True)
class TuningPoint:
    """A setting, and what it is worth on the queries that were tried."""

    setting: IndexSetting
    recall: float
    """Mean ANN recall@100."""
    sure: float
    """The same less three standard errors: other queries, on which the index is judged, find less
    in one of a thousand cases."""
    p50_ms: float
    """Median of one query."""


class TunedIndex(NamedTuple):
    """What came of tuning."""

    points: list[TuningPoint]
    """Every one that was tried."""
    index: ApproximateIndex
    """With the setting of `choose_point`."""


def tune_index(
    build: Callable[[IndexSetting], ApproximateIndex],
    items: int,
    reorderings: tuple[int, ...],
    exact: ExactAnswers,
    target: float,
    seconds: float,
) -> TunedIndex:
    """Tries settings: numbers of leaves while another build, as long as the last one, ends before
    `seconds` have passed; the first one always.
    """
    begin = time.monotonic()
    points: list[TuningPoint] = []
    index, count = None, 0
    for factor in _LEAF_FACTORS:
        index = None  # or both would be in memory while the next one is built
        count = max(1, min(items, round(choose_leaf_count(items) * factor)))
        started = time.monotonic()
        index = build(IndexSetting(count, 1, reorderings[0]))
        for reordering in reorderings:
            points += _search_probes(index, count, items, reordering, exact, target)
        took = time.monotonic() - started
        _log.info("index tuned leaves=%d seconds=%.1f points=%d", count, took, len(points))
        if time.monotonic() - begin + took > seconds:
            break
    setting = choose_point(points, target).setting
    if index is None or setting.leaves != count:
        index = None
        index = build(setting)
    _apply_setting(index, setting)
    return TunedIndex(points, index)


def _search_probes(
    index: ApproximateIndex,
    count: int,
    items: int,
    reordering: int,
    exact: ExactAnswers,
    target: float,
) -> Iterator[TuningPoint]:
    """Doubles the probes until the target is reached, then searches between the last two.

    It begins where the leaves hold twice as many items as are asked for: with fewer an index has
    to look everywhere, and finds all of it slowly. `count` leaves were asked for: an index has
    fewer where some were empty, and from that number another one would be built.
    """
    high = min(index.leaf_count, math.ceil(2 * RECALL_DEPTH * index.leaf_count / items))
    low = high - 1
    while True:
        point = _measure_setting(index, IndexSetting(count, high, reordering), exact)
        yield point
        if point.sure >= target or high == index.leaf_count:
            break
        low, high = high, min(2 * high, index.leaf_count)
    while point.sure >= target and high - low > max(1, high // 8):
        middle = (low + high) // 2
        between = _measure_setting(index, IndexSetting(count, middle, reordering), exact)
        yield between
        low, high = (low, middle) if between.sure >= target else (middle, high)


def _apply_setting(index: ApproximateIndex, setting: IndexSetting) -> None:
    index.probes = setting.probes
    if isinstance(index, ScannIndex):
        index.reordering = setting.reordering


def _measure_setting(
    index: ApproximateIndex, setting: IndexSetting, exact: ExactAnswers
) -> TuningPoint:
    _apply_setting(index, setting)
    ask = trace_search(index, exact.queries.shape[1])
    found = compute_ann_recall(ask(exact.queries), exact)
    error = found.std() / np.sqrt(len(found))
    sure = found.mean() - _STANDARD_ERRORS * error
    return TuningPoint(setting, found.mean(), sure, measure_median_ms(ask, exact.queries))


def choose_point(points: list[TuningPoint], target: float) -> TuningPoint:
    """The best, or the one that finds most where none reaches the target."""
    return find_fastest_point(points, target) or max(points, key=lambda point: point.recall)


def find_fastest_point(points: list[TuningPoint], target: float) -> TuningPoint | None:
    """The fastest of those that surely reach the target; None where none does."""
    enough = [point for point in points if point.sure >= target]
    return min(enough, key=lambda point: point.p50_ms) if enough else None


def compute_frontier(points: list[TuningPoint]) -> list[TuningPoint]:
    """Those that no other one beats in both, the fastest first."""
    kept: list[TuningPoint] = []
    for point in sorted(points, key=lambda point: (point.p50_ms, -point.recall)):
        if not kept or point.recall > kept[-1].recall:
            kept.append(point)
    return kept
