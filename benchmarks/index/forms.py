"""Our own indexes, as the pipeline builds and tunes them."""

import dataclasses
import pathlib
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from benchmarks.index.names import EXACT, IVF_INT8, SCANN
from benchmarks.index.vectors import QuerySet
from serving.config import IndexConfig
from serving.index.build import save_index
from serving.index.eligibility import Eligibility
from serving.index.exact import ExactIndex
from serving.index.ivf import IvfIndex
from serving.index.measurement import RECALL_DEPTH, ExactAnswers
from serving.index.scann import ScannIndex, import_scann_ops
from serving.index.tuning import IndexSetting, TuningPoint, choose_point, tune_index

Search = Callable[[np.ndarray], np.ndarray]
"""[b, dim] -> [b, 100] positions, best first."""
_REORDERINGS = (300, 600, 1200)


class BuiltIndex(NamedTuple):
    """An index that has been built and saved."""

    build_seconds: float
    """For one build with a given setting."""
    parameters: dict[str, Any]
    points: list[tuple[float, float]]
    """ANN recall@100 and median milliseconds of one query for each setting tried."""


def build(form: str, query_set: QuerySet, target: float, folder: pathlib.Path) -> BuiltIndex:
    """Tunes `form` to `target`, builds it once more with the best setting, and saves it."""
    vectors = np.asarray(query_set.vectors)
    points = [] if form == EXACT else _tune(form, vectors, query_set, target)
    chosen = choose_point(points, target) if points else None
    begin = time.perf_counter()
    built = index(form, vectors, chosen.setting) if chosen else ExactIndex(vectors)
    seconds = time.perf_counter() - begin
    save_index(built, vectors.shape[1], str(folder))
    parameters = dataclasses.asdict(chosen.setting) if chosen else {}
    return BuiltIndex(
        seconds, parameters, [(float(point.recall), point.p50_ms) for point in points]
    )


def load(form: str, folder: pathlib.Path, threads: int) -> Search:
    """Loads a saved index. TensorFlow must not have executed anything in this process yet."""
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    if form == SCANN:
        import_scann_ops()
    saved = tf.saved_model.load(str(folder))
    # A server calls the concrete function too: selecting one in Python costs as much as a search.
    (signature,) = saved.search.concrete_functions
    k = tf.constant(RECALL_DEPTH)

    def search(queries: np.ndarray) -> np.ndarray:
        nothing = np.zeros((len(queries), 0), np.int32)
        positions = signature(
            queries=tf.constant(queries),
            excluded=tf.constant(nothing),
            allowed=tf.constant(nothing),
            k=k,
        )
        return positions[0].numpy()

    return search


def _tune(form: str, vectors: np.ndarray, query_set: QuerySet, target: float) -> list[TuningPoint]:
    return tune_index(
        lambda setting: index(form, vectors, setting),
        len(vectors),
        _REORDERINGS if form == SCANN else (0,),
        exact(query_set),
        target,
        IndexConfig().tuning_seconds,
    ).points


def exact(query_set: QuerySet, depth: int = RECALL_DEPTH) -> ExactAnswers:
    """The first `depth` results of exact search, as the reference for recall."""
    everything = Eligibility.of_all(len(query_set.vectors))
    return ExactAnswers(
        query_set.vectors, everything, query_set.queries, query_set.exact[:, :depth]
    )


def index(form: str, vectors: np.ndarray, setting: IndexSetting) -> IvfIndex | ScannIndex:
    """An approximate index over `vectors` [n, dim], all available."""
    everything = Eligibility.of_all(len(vectors))
    if form == SCANN:
        return ScannIndex(vectors, everything, setting.leaves, setting.probes, setting.reordering)
    codes = "int8" if form == IVF_INT8 else "float32"
    return IvfIndex(vectors, everything, setting.leaves, setting.probes, codes)
