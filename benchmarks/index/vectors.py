"""Vectors and queries on which indexes are compared, and their exact nearest neighbours.

python -m benchmarks.index.vectors FOLDER NAME ITEMS DIM
python -m benchmarks.index.vectors FOLDER CANDIDATES
"""

import pathlib
import sys
from typing import NamedTuple

import numpy as np

CLUSTERED, HARDER = DRAWN = ("clustered", "harder")
TUNING_QUERIES = 256
HELD_OUT_QUERIES = 512
_SMALLER_CLUSTERS = 10
_WITHIN = 0.5
_DECAY = 0.7
_BLOCK = 100_000


class QuerySet(NamedTuple):
    """Vectors [n, dim], queries [q, dim] and the positions [q, 100] of their exact neighbours, best
    first.
    """

    vectors: np.ndarray
    queries: np.ndarray
    exact: np.ndarray


def draw(name: str, items: int, dim: int, folder: pathlib.Path, seed: int = 1) -> None:
    """Draws unit vectors around sqrt(items) centres or, for `harder`, ten times as many, which
    makes a cluster smaller than the leaves of an inverted file.

    The variances of the coordinates fall as i^-0.7, like those of trained item vectors: about 30 of
    64 are effective. Half of the variance is within a cluster. Queries have the same distribution.
    """
    rng = np.random.default_rng(seed)
    deviation = np.arange(1, dim + 1) ** (-_DECAY / 2)
    deviation = (deviation / np.linalg.norm(deviation)).astype(np.float32)
    clusters = round(items**0.5) * (_SMALLER_CLUSTERS if name == HARDER else 1)
    centres = _normal(rng, clusters, deviation * np.float32((1 - _WITHIN) ** 0.5))

    def draw_vectors(count: int) -> np.ndarray:
        around = centres[rng.integers(clusters, size=count)]
        result = around + _normal(rng, count, deviation * np.float32(_WITHIN**0.5))
        return result / np.linalg.norm(result, axis=1, keepdims=True)

    np.save(folder / "queries.npy", draw_vectors(TUNING_QUERIES + HELD_OUT_QUERIES))
    stored = np.lib.format.open_memmap(
        _file(folder), mode="w+", dtype=np.float32, shape=(items, dim)
    )
    for begin in range(0, items, _BLOCK):
        stored[begin : begin + _BLOCK] = draw_vectors(min(_BLOCK, items - begin))
    stored.flush()


def copy_candidates(candidates: pathlib.Path, folder: pathlib.Path) -> None:
    """Copies the vectors of a RetrievalTrainer's candidates and at most 768 queries of its valid
    users.
    """
    np.save(_file(folder), np.load(candidates / "vectors.npy"))
    sample = np.load(candidates / "sample_queries.npy")
    chosen = np.random.default_rng(1).permutation(len(sample))[: TUNING_QUERIES + HELD_OUT_QUERIES]
    np.save(folder / "queries.npy", sample[chosen])


def add_exact_neighbours(folder: pathlib.Path) -> None:
    """Adds the exact nearest neighbours."""
    from serving.index.eligibility import Eligibility
    from serving.index.measurement import compute_exact_answers  # imports TensorFlow

    stored, sample = vectors(folder), queries(folder)
    exact_answers = compute_exact_answers(stored, Eligibility.of_all(len(stored)), sample).positions
    scores = np.stack(
        [stored[at - 1] @ query for at, query in zip(exact_answers, sample, strict=True)]
    )
    order = np.argsort(-scores, axis=1)
    np.save(folder / "exact.npy", np.take_along_axis(exact_answers, order, axis=1))


def for_tuning(folder: pathlib.Path) -> QuerySet:
    """The first 256 queries, or half of them if there are fewer than 512."""
    return _load_part(folder, slice(_count_tuning_queries(folder)))


def held_out(folder: pathlib.Path) -> QuerySet:
    """The other queries. The vectors stay on disk."""
    return _load_part(folder, slice(_count_tuning_queries(folder), None))


def vectors(folder: pathlib.Path) -> np.ndarray:
    """The vectors [n, dim], memory-mapped."""
    return np.load(_file(folder), mmap_mode="r")


def queries(folder: pathlib.Path) -> np.ndarray:
    """All queries [q, dim]."""
    return np.load(folder / "queries.npy")


def shape(folder: pathlib.Path) -> tuple[int, int]:
    """Number and width of the vectors."""
    items, dim = vectors(folder).shape
    return items, dim


def _count_tuning_queries(folder: pathlib.Path) -> int:
    return min(TUNING_QUERIES, len(queries(folder)) // 2)


def _load_part(folder: pathlib.Path, part: slice) -> QuerySet:
    exact = np.load(folder / "exact.npy")
    return QuerySet(vectors(folder), queries(folder)[part], exact[part])


def _file(folder: pathlib.Path) -> pathlib.Path:
    return folder / "vectors.npy"


def _normal(rng: np.random.Generator, count: int, deviation: np.ndarray) -> np.ndarray:
    return rng.standard_normal((count, len(deviation)), dtype=np.float32) * deviation


def main(folder: str, name: str, items: str = "", dim: str = "") -> None:
    """Draws the named set, or copies the vectors of the named candidates folder."""
    into = pathlib.Path(folder)
    if name in DRAWN:
        draw(name, int(items), int(dim), into)
    else:
        copy_candidates(pathlib.Path(name), into)
    add_exact_neighbours(into)


if __name__ == "__main__":
    main(*sys.argv[1:])
