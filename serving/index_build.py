"""Which index a catalogue gets, and how good and how fast it is."""

import statistics
import time
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from schema.errors import NotBlessed
from serving.config import IndexConfig
from serving.exact_index import ExactIndex
from serving.scann_index import ScannIndex

Index = ExactIndex | ScannIndex
_DEPTH = 100
_TIMED = 100


def build(vectors: np.ndarray, config: IndexConfig) -> Index:
    """The index of `config.kind` over `vectors` [n, dim]; `auto` decides by n."""
    exact = len(vectors) < config.exact_below if config.kind == "auto" else config.kind == "exact"
    return ExactIndex(vectors) if exact else ScannIndex(vectors, config)


def measure(index: Index, vectors: np.ndarray, queries: np.ndarray) -> dict[str, object]:
    """ANN recall@100 against exact search on `queries` [q, dim], and the median milliseconds of
    one query.
    """
    exact = ExactIndex(vectors)
    return {
        "kind": index.kind,
        "items": len(vectors),
        "ann_recall@100": ann_recall(_asked(index)(queries), _asked(exact)(queries)),
        "p50_ms": _median_ms(index, queries),
        "exact_p50_ms": _median_ms(exact, queries),
    }


def ann_recall(found: np.ndarray, exact: np.ndarray) -> float:
    """Share of the exact neighbours [q, k] that stand among those found [q, k']."""
    kept = [np.isin(wanted, got).mean() for wanted, got in zip(exact, found, strict=True)]
    return float(np.mean(kept))


def _asked(index: Index) -> Callable[[np.ndarray], np.ndarray]:
    search = _function(index)

    def ask(queries: np.ndarray) -> np.ndarray:
        nothing = np.zeros((len(queries), 0), np.int32)
        return search(tf.constant(queries), tf.constant(nothing)).numpy()

    return ask


def _function(index: Index) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    return tf.function(
        lambda q, e: index.search(q, e, tf.constant(_DEPTH))[0], reduce_retracing=True
    )


def _median_ms(index: Index, queries: np.ndarray) -> float:
    ask = _asked(index)
    ask(queries[:1])
    seconds = []
    for i in range(_TIMED):
        begin = time.perf_counter()
        ask(queries[i % len(queries)][np.newaxis])
        seconds.append(time.perf_counter() - begin)
    return 1000 * statistics.median(seconds)


def require(measured: dict[str, object], config: IndexConfig) -> None:
    """Raises NotBlessed when the ANN recall is below `min_ann_recall`."""
    found = float(measured["ann_recall@100"])  # type: ignore[arg-type]
    if found < config.min_ann_recall:
        raise NotBlessed(
            f"expected ANN recall@100 of at least {config.min_ann_recall}, received {found:.3f}; "
            "raise "
            'index.leaves_to_search_fraction or index.reordering, or set index.kind = "exact"'
        )
