"""Builds, tunes, measures, validates, rebuilds and saves the index of a catalogue."""

import dataclasses
import logging
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from schema.errors import DataRefused, NotBlessed
from serving.config import IndexConfig
from serving.index.base import SearchResult
from serving.index.eligibility import Eligibility
from serving.index.exact import ExactIndex
from serving.index.ivf import IvfIndex
from serving.index.measurement import (
    compute_ann_recall,
    compute_exact_answers,
    measure_median_ms,
    trace_search,
)
from serving.index.scann import ScannIndex
from serving.index.tuning import IndexSetting, TuningPoint, compute_frontier, tune_index

Index = ExactIndex | IvfIndex | ScannIndex
_REORDERINGS = (300, 600, 1200)
_TUNING_QUERIES = 256
_log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class BuiltIndex:
    """An index and the results of its tuning."""

    index: Index
    points: list[TuningPoint]
    """Settings that tuning measured; empty for exact search."""


def build_index(
    vectors: np.ndarray, eligible: Eligibility, queries: np.ndarray, config: IndexConfig
) -> BuiltIndex:
    """Builds the index of `config.kind`; `auto` chooses by the number of available items.

    If no setting reaches the target, the one with the highest ANN recall is used.

    Args:
        vectors: Candidate vectors [n, dim].
        eligible: Availability and categories of the n items.
        queries: Query vectors [q, dim] on which an approximate index is tuned.
        config: Kind of index, recall target and tuning time.

    Raises:
        DataRefused: No item is available, or a vector has NaN or infinity.
    """
    check_vectors(vectors, eligible)
    kind = choose_kind(len(eligible.positions), config)
    if kind == "exact":
        return BuiltIndex(ExactIndex(vectors, eligible), [])
    queries = queries[:_TUNING_QUERIES]
    tuned = tune_index(
        lambda setting: build_approximate(kind, vectors, eligible, setting, config),
        len(eligible.positions),
        _REORDERINGS if kind == "scann" else (0,),
        compute_exact_answers(vectors, eligible, queries),
        config.target_ann_recall,
        config.tuning_seconds,
    )
    return BuiltIndex(tuned.index, tuned.points)


def choose_kind(items: int, config: IndexConfig) -> str:
    """Resolves `auto` to the kind of index for this number of available items."""
    if config.kind != "auto":
        return config.kind
    return "exact" if items < config.exact_below else "scann"


def build_approximate(
    kind: str,
    vectors: np.ndarray,
    eligible: Eligibility,
    setting: IndexSetting,
    config: IndexConfig,
) -> IvfIndex | ScannIndex:
    """Builds an approximate index with a given setting, without tuning.

    Args:
        kind: `ivf` or `scann`.
        vectors: Candidate vectors [n, dim].
        eligible: Availability and categories of the n items.
        setting: Leaves, probes and reordering of the index.
        config: Supplies `codes` for `ivf`.
    """
    if kind == "ivf":
        return IvfIndex(vectors, eligible, setting.leaves, setting.probes, config.codes)
    return ScannIndex(vectors, eligible, setting.leaves, setting.probes, setting.reordering)


def measure_index(
    built: BuiltIndex, vectors: np.ndarray, eligible: Eligibility, queries: np.ndarray
) -> dict[str, Any]:
    """Measures ANN recall@100, and the median latency (milliseconds) next to that of exact search.

    Args:
        built: The index and its tuning points, whose frontier is included in the result.
        vectors: Candidate vectors [n, dim].
        eligible: Availability and categories of the n items.
        queries: Query vectors [q, dim]. The first 256 were used in tuning and are left out if there
            are more.
    """
    held_out = queries[_TUNING_QUERIES:] if len(queries) > _TUNING_QUERIES else queries
    exact = compute_exact_answers(vectors, eligible, held_out)
    index, dim = built.index, vectors.shape[1]
    search = trace_search(index, dim)
    search_exact = trace_search(ExactIndex(vectors, eligible), dim)
    chosen = {} if isinstance(index, ExactIndex) else {"parameters": _get_parameters(index)}
    return chosen | {
        "kind": index.kind,
        "items": len(eligible.positions),
        "ann_recall@100": float(compute_ann_recall(search(held_out), exact).mean()),
        "queries": len(held_out),
        "p50_ms": measure_median_ms(search, held_out),
        "exact_p50_ms": measure_median_ms(search_exact, held_out),
        "frontier": [_build_row(index.kind, point) for point in compute_frontier(built.points)],
    }


def _get_parameters(index: IvfIndex | ScannIndex) -> dict[str, Any]:
    parameters: dict[str, Any] = {"leaves": index.leaf_count, "probes": index.probes}
    if isinstance(index, ScannIndex):
        return parameters | {"reordering": index.reordering}
    return parameters | {"codes": index.codes}


def _build_row(kind: str, point: TuningPoint) -> dict[str, Any]:
    return {
        "kind": kind,
        "ann_recall@100": point.recall,
        "p50_ms": point.p50_ms,
        "parameters": dataclasses.asdict(point.setting),
    }


def require_recall(measured: dict[str, Any], config: IndexConfig) -> None:
    """Raises NotBlessed, with the frontier, when ANN recall is below `target_ann_recall`."""
    recall = measured["ann_recall@100"]
    if recall >= config.target_ann_recall:
        return
    tried = "".join(
        f"\n  ANN recall@100 {row['ann_recall@100']:.3f} at {row['p50_ms']:.2f} ms: "
        + ", ".join(f"{name} {value}" for name, value in row["parameters"].items())
        for row in measured["frontier"]
    )
    raise NotBlessed(
        f"expected ANN recall@100 of at least {config.target_ann_recall} from the index, received "
        f"{recall:.3f} on {measured['queries']} queries of valid; raise index.tuning_seconds, set "
        f'index.kind = "exact", or lower index.target_ann_recall. Tried:{tried}'
    )


def check_vectors(vectors: np.ndarray, eligible: Eligibility) -> None:
    """Raises DataRefused if no item is available or a vector has NaN or infinity."""
    if not eligible.available.any():
        raise DataRefused(
            f"index: expected at least one available item, received {len(vectors)} items of which "
            "none is available; correct the catalogue's column of data.items.available, or shorten "
            "index.deny_list"
        )
    bad = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
    if len(bad):
        raise DataRefused(
            f"index: expected finite vectors, received {len(bad)} with NaN or infinity among "
            f"{len(vectors)}, the first for item number {bad[0]}; look for extreme numbers among "
            "the catalogue's features"
        )


def rebuild_index(
    vectors: np.ndarray,
    eligible: Eligibility,
    queries: np.ndarray,
    config: IndexConfig,
    before: dict[str, Any],
) -> tuple[BuiltIndex, dict[str, Any]]:
    """Builds the index with the setting of the previous one, or tunes it again.

    It is tuned again if its kind has changed or the previous setting misses
    `config.target_ann_recall`.

    Args:
        vectors: Candidate vectors [n, dim].
        eligible: Availability and categories of the n items.
        queries: Query vectors [q, dim] for tuning and measurement.
        config: Kind of index, recall target and tuning time.
        before: Result of `measure_index` for the previous index.

    Returns:
        The index and the result of `measure_index` for it.

    Raises:
        NotBlessed: The index misses the target even after tuning.
        DataRefused: No item is available, or a vector has NaN or infinity.
    """
    built = _build_with_previous_setting(vectors, eligible, config, before)
    if built is not None:
        measured = measure_index(built, vectors, eligible, queries)
        if measured["ann_recall@100"] >= config.target_ann_recall:
            return built, measured
        _log.info("index setting is tuned again ann_recall@100=%.3f", measured["ann_recall@100"])
    built = build_index(vectors, eligible, queries, config)
    measured = measure_index(built, vectors, eligible, queries)
    require_recall(measured, config)
    return built, measured


def _build_with_previous_setting(
    vectors: np.ndarray, eligible: Eligibility, config: IndexConfig, before: dict[str, Any]
) -> BuiltIndex | None:
    """Returns None if the previous setting does not apply to this index."""
    check_vectors(vectors, eligible)
    items = len(eligible.positions)
    kind = choose_kind(items, config)
    previous = before.get("parameters")
    if kind == "exact" or before.get("kind") != kind or previous is None:
        return None
    if previous.get("codes", config.codes) != config.codes:
        return None
    leaves = min(items, previous["leaves"])
    setting = IndexSetting(leaves, min(leaves, previous["probes"]), previous.get("reordering", 0))
    return BuiltIndex(build_approximate(kind, vectors, eligible, setting, config), [])


def save_index(index: Index, dim: int, path: str) -> None:
    """Writes a SavedModel to `path` with `search(queries [b, dim], excluded [b, e] int32,
    allowed [b, a] int32, k [] int32)`, which returns positions and scores; that of exact search
    also has `search_among`, with `items` instead of `excluded`.
    """
    index.search = _declare_inputs(index.search, dim, "excluded")
    if isinstance(index, ExactIndex):
        index.search_among = _declare_inputs(index.search_among, dim, "items")
    options = tf.saved_model.SaveOptions(namespace_whitelist=["Scann"])
    tf.saved_model.save(index, path, options=options)


def _declare_inputs(search: Callable[..., SearchResult], dim: int, positions: str) -> Any:
    return tf.function(
        search,
        input_signature=[
            tf.TensorSpec([None, dim], tf.float32, name="queries"),
            tf.TensorSpec([None, None], tf.int32, name=positions),
            tf.TensorSpec([None, None], tf.int32, name="allowed"),
            tf.TensorSpec([], tf.int32, name="k"),
        ],
        autograph=False,
    )
