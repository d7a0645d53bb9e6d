"""Finds the fastest setting of an approximate index that reaches the recall target.

The search begins with the usual rules of thumb: about sqrt(n) leaves, and more candidates rescored
than requested. The number of leaves that a query reads is doubled until the target is reached, then
refined by bisection.
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
    """Build and search parameters of an approximate index."""

    leaves: int
    probes: int
    reordering: int
    """Number of candidates rescored exactly; 0 if the index does not rescore."""


@dataclasses.dataclass(frozen=True)
class TuningPoint:
    """A setting with its recall and latency on the tuning queries."""

    setting: IndexSetting
    recall: float
    """Mean ANN recall@100."""
    sure: float
    """Mean ANN recall minus three standard errors: the recall on other queries is lower in about
    one of a thousand cases."""
    p50_ms: float
    """Median latency of one query, in milliseconds."""


class TunedIndex(NamedTuple):
    """Result of tuning."""

    points: list[TuningPoint]
    """All measured settings."""
    index: ApproximateIndex
    """The index with the setting that `choose_point` selects from the measurements of this very
    index."""


def tune_index(
    build: Callable[[IndexSetting], ApproximateIndex],
    items: int,
    reorderings: tuple[int, ...],
    exact: ExactAnswers,
    target: float,
    seconds: float,
) -> TunedIndex:
    """Measures settings for up to three numbers of leaves and builds the index with the best one.

    Args:
        build: Builds an index with a setting.
        items: Number of available items.
        reorderings: Numbers of rescored candidates to try.
        exact: Results of exact search for the tuning queries.
        target: ANN recall@100 to reach.
        seconds: Time limit. Another number of leaves is tried only if it would fit, assuming that
            it takes as long as the previous one; the first is always tried.
    """
    begin = time.monotonic()
    points: list[TuningPoint] = []
    index, count = None, 0
    for factor in _LEAF_FACTORS:
        index = None  # releases it before the next one is built
        count = max(1, min(items, round(choose_leaf_count(items) * factor)))
        started = time.monotonic()
        index = build(IndexSetting(count, 1, reorderings[0]))
        for reordering in reorderings:
            points += _search_probes(index, count, items, reordering, exact, target)
        elapsed = time.monotonic() - started
        _log.info("index tuned leaves=%d seconds=%.1f points=%d", count, elapsed, len(points))
        if time.monotonic() - begin + elapsed > seconds:
            break
    setting = choose_point(points, target).setting
    if index is None or setting.leaves != count:
        index = None
        index = build(setting)
        # Each build of ScaNN has other partitions, which can need more probes than the tuned one.
        own = list(_search_probes(index, setting.leaves, items, setting.reordering, exact, target))
        setting = choose_point(own, target).setting
        points += own
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

    It begins where the probed leaves have twice as many items as a list: with fewer items an index
    falls back to searching everything, which is slow. `count` is the requested number of leaves,
    with which the same index can be built again; `index.leaf_count` is lower if some were empty.
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
    search = trace_search(index, exact.queries.shape[1])
    recall = compute_ann_recall(search(exact.queries), exact)
    error = recall.std() / np.sqrt(len(recall))
    sure = recall.mean() - _STANDARD_ERRORS * error
    return TuningPoint(setting, recall.mean(), sure, measure_median_ms(search, exact.queries))


def choose_point(points: list[TuningPoint], target: float) -> TuningPoint:
    """The fastest point that reaches the target, else the one with the highest recall."""
    return find_fastest_point(points, target) or max(points, key=lambda point: point.recall)


def find_fastest_point(points: list[TuningPoint], target: float) -> TuningPoint | None:
    """The fastest point whose `sure` recall reaches the target; None if there is none."""
    enough = [point for point in points if point.sure >= target]
    return min(enough, key=lambda point: point.p50_ms) if enough else None


def compute_frontier(points: list[TuningPoint]) -> list[TuningPoint]:
    """The Pareto frontier of latency and recall, fastest first."""
    frontier: list[TuningPoint] = []
    for point in sorted(points, key=lambda point: (point.p50_ms, -point.recall)):
        if not frontier or point.recall > frontier[-1].recall:
            frontier.append(point)
    return frontier
