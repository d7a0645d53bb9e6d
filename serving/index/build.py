"""The index of a catalogue: built, tuned, measured, compared with its target, rebuilt and saved."""

import dataclasses
import logging
from typing import Any

import numpy as np
import tensorflow as tf

from schema.errors import DataRefused, NotBlessed
from serving.config import IndexConfig
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
    """An index and what is known of it."""

    index: Index
    points: list[TuningPoint]
    """What tuning tried; nothing for exact search."""


def build_index(
    vectors: np.ndarray, eligible: Eligibility, queries: np.ndarray, config: IndexConfig
) -> BuiltIndex:
    """The index of `config.kind` over `vectors` [n, dim]; `auto` decides by n.

    An approximate one is tuned on `queries` [q, dim]. Where no setting reaches the target, it is
    the one that finds most. Raises DataRefused where nothing is available or a vector is no number.
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
    """The form that so many available items get."""
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
    """An index of `kind`, `ivf` or `scann`, with a setting that is known."""
    if kind == "ivf":
        return IvfIndex(vectors, eligible, setting.leaves, setting.probes, config.codes)
    return ScannIndex(vectors, eligible, setting.leaves, setting.probes, setting.reordering)


def measure_index(
    built: BuiltIndex, vectors: np.ndarray, eligible: Eligibility, queries: np.ndarray
) -> dict[str, Any]:
    """ANN recall@100 on `queries` [q, dim] that tuning has not seen where there are so many, the
    median of one query beside exact search's, and the frontier that tuning found.
    """
    held_out = queries[_TUNING_QUERIES:] if len(queries) > _TUNING_QUERIES else queries
    exact = compute_exact_answers(vectors, eligible, held_out)
    index, dim = built.index, vectors.shape[1]
    ask, ask_exact = trace_search(index, dim), trace_search(ExactIndex(vectors, eligible), dim)
    chosen = {} if isinstance(index, ExactIndex) else {"parameters": _get_parameters(index)}
    return chosen | {
        "kind": index.kind,
        "items": len(eligible.positions),
        "ann_recall@100": float(compute_ann_recall(ask(held_out), exact).mean()),
        "queries": len(held_out),
        "p50_ms": measure_median_ms(ask, held_out),
        "exact_p50_ms": measure_median_ms(ask_exact, held_out),
        "frontier": [_build_row(index.kind, point) for point in compute_frontier(built.points)],
    }


def _get_parameters(index: IvfIndex | ScannIndex) -> dict[str, Any]:
    found: dict[str, Any] = {"leaves": index.leaf_count, "probes": index.probes}
    if isinstance(index, ScannIndex):
        return found | {"reordering": index.reordering}
    return found | {"codes": index.codes}


def _build_row(kind: str, point: TuningPoint) -> dict[str, Any]:
    return {
        "kind": kind,
        "ann_recall@100": point.recall,
        "p50_ms": point.p50_ms,
        "parameters": dataclasses.asdict(point.setting),
    }


def require_recall(measured: dict[str, Any], config: IndexConfig) -> None:
    """Raises NotBlessed, with the frontier, when ANN recall is below `target_ann_recall`."""
    found = measured["ann_recall@100"]
    if found >= config.target_ann_recall:
        return
    tried = "".join(
        f"\n  ANN recall@100 {row['ann_recall@100']:.3f} at {row['p50_ms']:.2f} ms: "
        + ", ".join(f"{name} {value}" for name, value in row["parameters"].items())
        for row in measured["frontier"]
    )
    raise NotBlessed(
        f"expected ANN recall@100 of at least {config.target_ann_recall} from the index, received "
        f"{found:.3f} on {measured['queries']} queries of valid; raise index.tuning_seconds, set "
        f'index.kind = "exact", or lower index.target_ann_recall. Tried:{tried}'
    )


def check_vectors(vectors: np.ndarray, eligible: Eligibility) -> None:
    """Raises DataRefused where nothing is available or a vector is no number."""
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
    """The index, and what `measure_index` says of it; `before` is what it said of the last one.

    It is tuned anew where its form is another now, or where the old setting misses
    `config.target_ann_recall`. Raises NotBlessed where that is missed all the same, and what
    `build_index` raises.
    """
    built = _build_with_previous_setting(vectors, eligible, config, before)
    if built is not None:
        measured = measure_index(built, vectors, eligible, queries)
        if measured["ann_recall@100"] >= config.target_ann_recall:
            return built, measured
        _log.info("index tuned anew ann_recall@100=%.3f", measured["ann_recall@100"])
    built = build_index(vectors, eligible, queries, config)
    measured = measure_index(built, vectors, eligible, queries)
    require_recall(measured, config)
    return built, measured


def _build_with_previous_setting(
    vectors: np.ndarray, eligible: Eligibility, config: IndexConfig, before: dict[str, Any]
) -> BuiltIndex | None:
    """None where the last setting says nothing about this index."""
    check_vectors(vectors, eligible)
    items = len(eligible.positions)
    kind = choose_kind(items, config)
    known = before.get("parameters")
    if kind == "exact" or before.get("kind") != kind or known is None:
        return None
    if known.get("codes", config.codes) != config.codes:
        return None
    leaves = min(items, known["leaves"])
    setting = IndexSetting(leaves, min(leaves, known["probes"]), known.get("reordering", 0))
    return BuiltIndex(build_approximate(kind, vectors, eligible, setting, config), [])


def save_index(index: Index, dim: int, path: str) -> None:
    """`search(queries [b, dim], excluded [b, e] int32, allowed [b, a] int32, k [] int32)` ->
    positions, scores.
    """
    index.search = tf.function(
        index.search,
        input_signature=[
            tf.TensorSpec([None, dim], tf.float32, name="queries"),
            tf.TensorSpec([None, None], tf.int32, name="excluded"),
            tf.TensorSpec([None, None], tf.int32, name="allowed"),
            tf.TensorSpec([], tf.int32, name="k"),
        ],
        autograph=False,
    )
    options = tf.saved_model.SaveOptions(namespace_whitelist=["Scann"])
    tf.saved_model.save(index, path, options=options)
