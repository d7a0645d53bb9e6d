"""The index of a changed catalogue, with the setting that the last one had where that will do."""

import logging
from typing import Any

import numpy as np

from serving.config import IndexConfig
from serving.index import build
from serving.index.build import Built
from serving.index.eligibility import Eligibility
from serving.index.tuning import Setting

_log = logging.getLogger(__name__)


def rebuild(
    vectors: np.ndarray,
    eligible: Eligibility,
    queries: np.ndarray,
    config: IndexConfig,
    before: dict[str, Any],
) -> tuple[Built, dict[str, Any]]:
    """The index, and what `index_build.measure` says of it; `before` is what it said of the last.

    It is tuned anew where its form is another now, or where the old setting misses
    `config.target_ann_recall`. Raises NotBlessed where that is missed all the same, and what
    `index_build.build` raises.
    """
    built = _as_before(vectors, eligible, config, before)
    if built is not None:
        measured = build.measure(built, vectors, eligible, queries)
        if measured["ann_recall@100"] >= config.target_ann_recall:
            return built, measured
        _log.info("index tuned anew ann_recall@100=%.3f", measured["ann_recall@100"])
    built = build.build(vectors, eligible, queries, config)
    measured = build.measure(built, vectors, eligible, queries)
    build.require(measured, config)
    return built, measured


def _as_before(
    vectors: np.ndarray, eligible: Eligibility, config: IndexConfig, before: dict[str, Any]
) -> Built | None:
    """None where the last setting says nothing about this index."""
    build.refuse_unusable(vectors, eligible)
    items = len(eligible.positions)
    kind = build.kind_of(items, config)
    known = before.get("parameters")
    if kind == "exact" or before.get("kind") != kind or known is None:
        return None
    if known.get("codes", config.codes) != config.codes:
        return None
    leaves = min(items, known["leaves"])
    setting = Setting(leaves, min(leaves, known["probes"]), known.get("reordering", 0))
    return Built(build.approximate(kind, vectors, eligible, setting, config), [])
