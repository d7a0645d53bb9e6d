"""Faiss's two indexes, as `benchmarks.index.peers.Peer`."""

import pathlib
from typing import Any

import numpy as np

from benchmarks.index.peers import GRAPH_LADDER, LEAF_LADDER, LINKS, WHILE_BUILDING
from serving.index.leaves import choose_leaf_count
from serving.index.measurement import RECALL_DEPTH


class _Faiss:
    _index: Any

    def save(self, folder: pathlib.Path) -> None:
        """See Peer."""
        import faiss

        faiss.write_index(self._index, str(folder / "index"))

    def load(self, folder: pathlib.Path, dim: int) -> None:
        """See Peer."""
        import faiss

        self._index = faiss.read_index(str(folder / "index"))

    def query(self, queries: np.ndarray, threads: int) -> np.ndarray:
        """See Peer."""
        import faiss

        faiss.omp_set_num_threads(threads)
        return self._index.search(self._fit_width(queries), RECALL_DEPTH)[1] + 1

    def _fit_width(self, vectors: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(vectors)


class FaissHnsw(_Faiss):
    """HNSW over uncompressed vectors."""

    parameter = "efSearch"
    ladder = GRAPH_LADDER

    def build(self, vectors: np.ndarray) -> None:
        """See Peer."""
        import faiss

        self._index = faiss.IndexHNSWFlat(vectors.shape[1], LINKS, faiss.METRIC_INNER_PRODUCT)
        self._index.hnsw.efConstruction = WHILE_BUILDING
        self._index.add(self._fit_width(vectors))

    def use(self, value: int) -> None:
        """See Peer."""
        self._index.hnsw.efSearch = value


_RESCORED = 2000


class FaissIvfPq(_Faiss):
    """Leaves and 4-bit codes for pairs of columns, as in ScaNN; 2,000 candidates are rescored
    exactly: with 600, as in ScaNN, no number of leaves reached a recall of .95.
    """

    parameter = "nprobe"
    ladder = LEAF_LADDER

    def build(self, vectors: np.ndarray) -> None:
        """See Peer."""
        import faiss

        vectors = self._fit_width(vectors)
        dim, count = vectors.shape[1], choose_leaf_count(len(vectors))
        self._index = faiss.index_factory(
            dim, f"IVF{count},PQ{dim // 2}x4fs,RFlat", faiss.METRIC_INNER_PRODUCT
        )
        self._index.train(vectors)
        self._index.add(vectors)

    def use(self, value: int) -> None:
        """See Peer."""
        import faiss

        self._index.k_factor = _RESCORED / RECALL_DEPTH
        leaf_index: Any = faiss.downcast_index(self._index.base_index)
        leaf_index.nprobe = value

    def _fit_width(self, vectors: np.ndarray) -> np.ndarray:
        """Pads the vectors to an even number of columns."""
        return np.pad(vectors, [(0, 0), (0, vectors.shape[1] % 2)])
