"""The index that a catalogue gets: built, tuned, measured and held against its target."""

import dataclasses
from typing import Any

import numpy as np

from schema.errors import DataRefused, NotBlessed
from serving.config import IndexConfig
from serving.index import measurement, tuning
from serving.index.eligibility import Eligibility
from serving.index.exact import ExactIndex
from serving.index.ivf import IvfIndex
from serving.index.scann import ScannIndex
from serving.index.tuning import Point, Setting
from serving.index_asking import asking, median_ms

Index = ExactIndex | IvfIndex | ScannIndex
_REORDERINGS = (300, 600, 1200)
_TUNED_WITH = 256


@dataclasses.dataclass(frozen=True)
class Built:
    """An index and what is known of it."""

    index: Index
    points: list[Point]
    """What tuning tried; nothing for exact search."""


def build(
    vectors: np.ndarray, eligible: Eligibility, queries: np.ndarray, config: IndexConfig
) -> Built:
    """The index of `config.kind` over `vectors` [n, dim]; `auto` decides by n.

    An approximate one is tuned on `queries` [q, dim]. Where no setting reaches the target, it is
    the one that finds most. Raises DataRefused where nothing is available or a vector is no number.
    """
    refuse_unusable(vectors, eligible)
    kind = kind_of(len(eligible.positions), config)
    if kind == "exact":
        return Built(ExactIndex(vectors, eligible), [])
    queries = queries[:_TUNED_WITH]
    tuned = tuning.tune(
        lambda setting: approximate(kind, vectors, eligible, setting, config),
        len(eligible.positions),
        _REORDERINGS if kind == "scann" else (0,),
        measurement.answer(vectors, eligible, queries),
        config.target_ann_recall,
        config.tuning_seconds,
    )
    return Built(tuned.index, tuned.points)


def kind_of(items: int, config: IndexConfig) -> str:
    """The form that so many available items get."""
    if config.kind != "auto":
        return config.kind
    return "exact" if items < config.exact_below else "scann"


def approximate(
    kind: str, vectors: np.ndarray, eligible: Eligibility, setting: Setting, config: IndexConfig
) -> IvfIndex | ScannIndex:
    """An index of `kind`, `ivf` or `scann`, with a setting that is known."""
    if kind == "ivf":
        return IvfIndex(vectors, eligible, setting.leaves, setting.probes, config.codes)
    return ScannIndex(vectors, eligible, setting.leaves, setting.probes, setting.reordering)


def measure(
    built: Built, vectors: np.ndarray, eligible: Eligibility, queries: np.ndarray
) -> dict[str, Any]:
    """ANN recall@100 on `queries` [q, dim] that tuning has not seen where there are so many, the
    median of one query beside exact search's, and the frontier that tuning found.
    """
    held_out = queries[_TUNED_WITH:] if len(queries) > _TUNED_WITH else queries
    exact = measurement.answer(vectors, eligible, held_out)
    index, dim = built.index, vectors.shape[1]
    ask, ask_exact = asking(index, dim), asking(ExactIndex(vectors, eligible), dim)
    chosen = {} if isinstance(index, ExactIndex) else {"parameters": _parameters(index)}
    return chosen | {
        "kind": index.kind,
        "items": len(eligible.positions),
        "ann_recall@100": float(measurement.recall(ask(held_out), exact).mean()),
        "queries": len(held_out),
        "p50_ms": median_ms(ask, held_out),
        "exact_p50_ms": median_ms(ask_exact, held_out),
        "frontier": [_row(index.kind, point) for point in tuning.frontier(built.points)],
    }


def _parameters(index: IvfIndex | ScannIndex) -> dict[str, Any]:
    found: dict[str, Any] = {"leaves": index.leaf_count, "probes": index.probes}
    if isinstance(index, ScannIndex):
        return found | {"reordering": index.reordering}
    return found | {"codes": index.codes}


def _row(kind: str, point: Point) -> dict[str, Any]:
    return {
        "kind": kind,
        "ann_recall@100": point.recall,
        "p50_ms": point.p50_ms,
        "parameters": dataclasses.asdict(point.setting),
    }


def require(measured: dict[str, Any], config: IndexConfig) -> None:
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


def refuse_unusable(vectors: np.ndarray, eligible: Eligibility) -> None:
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
