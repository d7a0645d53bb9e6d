"""Other libraries' indexes behind one interface.

Graphs are of moderate size: 16 links per node (32 on the bottom layer), 100 candidates while
building.
"""

import pathlib
from typing import Any, Protocol

import numpy as np

from serving.index.leaves import choose_leaf_count
from serving.index.measurement import RECALL_DEPTH

LINKS = 16
WHILE_BUILDING = 100
RESCORED = 600
GRAPH_LADDER = (100, 125, 150, 200, 250, 300, 400, 500, 700, 1000, 1500, 2000)
LEAF_LADDER = (2, 4, 6, 8, 12, 16, 20, 24, 32, 40, 50, 64, 80, 100, 128, 160, 200, 256, 320, 400)


class Peer(Protocol):
    """Another library's index. A larger parameter means better recall and slower search."""

    parameter: str
    ladder: tuple[int, ...]
    """Values of the parameter, ascending."""

    def build(self, vectors: np.ndarray) -> None:
        """Builds the index with all threads."""
        ...

    def save(self, folder: pathlib.Path) -> None:
        """Writes the index into an empty folder."""
        ...

    def load(self, folder: pathlib.Path, dim: int) -> None:
        """Loads what `save` wrote."""
        ...

    def use(self, value: int) -> None:
        """Sets the parameter of the searches that follow."""
        ...

    def query(self, queries: np.ndarray, threads: int) -> np.ndarray:
        """[b, dim] -> [b, 100] positions, best first."""
        ...


class ScannApi:
    """ScaNN's own API, outside TensorFlow's graph."""

    parameter = "leaves_to_search"
    ladder = LEAF_LADDER

    def build(self, vectors: np.ndarray) -> None:
        """See Peer."""
        from scann.scann_ops.py import scann_ops_pybind

        self._searcher = (
            scann_ops_pybind.builder(np.asarray(vectors), RECALL_DEPTH, "dot_product")
            .tree(choose_leaf_count(len(vectors)), 1, training_sample_size=250_000)
            .score_ah(2, anisotropic_quantization_threshold=0.2)
            .reorder(RESCORED)
            .build()
        )

    def save(self, folder: pathlib.Path) -> None:
        """See Peer."""
        self._searcher.serialize(str(folder))

    def load(self, folder: pathlib.Path, dim: int) -> None:
        """See Peer."""
        from scann.scann_ops.py import scann_ops_pybind

        self._searcher = scann_ops_pybind.load_searcher(str(folder))

    def use(self, value: int) -> None:
        """See Peer."""
        self._probes = value

    def query(self, queries: np.ndarray, threads: int) -> np.ndarray:
        """See Peer."""
        settings: dict[str, Any] = {
            "final_num_neighbors": RECALL_DEPTH,
            "pre_reorder_num_neighbors": RESCORED,
            "leaves_to_search": self._probes,
        }
        if len(queries) == 1:
            return self._searcher.search(queries[0], **settings)[0][np.newaxis] + 1
        together = self._searcher.search_batched
        if threads > 1:
            together = self._searcher.search_batched_parallel
        return together(queries, **settings)[0] + 1


class Hnswlib:
    """Malkov's own implementation of HNSW."""

    parameter = "ef"
    ladder = GRAPH_LADDER

    def build(self, vectors: np.ndarray) -> None:
        """See Peer."""
        import hnswlib

        self._index = hnswlib.Index(space="ip", dim=vectors.shape[1])
        self._index.init_index(len(vectors), M=LINKS, ef_construction=WHILE_BUILDING)
        self._index.add_items(vectors)

    def save(self, folder: pathlib.Path) -> None:
        """See Peer."""
        self._index.save_index(str(folder / "index"))

    def load(self, folder: pathlib.Path, dim: int) -> None:
        """See Peer."""
        import hnswlib

        self._index = hnswlib.Index(space="ip", dim=dim)
        self._index.load_index(str(folder / "index"))

    def use(self, value: int) -> None:
        """See Peer."""
        self._index.set_ef(value)

    def query(self, queries: np.ndarray, threads: int) -> np.ndarray:
        """See Peer."""
        return self._index.knn_query(queries, RECALL_DEPTH, num_threads=threads)[0] + 1


class Usearch:
    """unum's implementation of HNSW."""

    parameter = "expansion_search"
    ladder = GRAPH_LADDER

    def build(self, vectors: np.ndarray) -> None:
        """See Peer."""
        from usearch.index import Index

        self._index = Index(
            ndim=vectors.shape[1],
            metric="ip",
            dtype="f32",
            connectivity=LINKS,
            expansion_add=WHILE_BUILDING,
        )
        self._index.add(np.arange(len(vectors)), np.asarray(vectors))

    def save(self, folder: pathlib.Path) -> None:
        """See Peer."""
        self._index.save(str(folder / "index"))

    def load(self, folder: pathlib.Path, dim: int) -> None:
        """See Peer."""
        from usearch.index import Index

        loaded = Index.restore(str(folder / "index"))
        if loaded is None:
            raise FileNotFoundError(folder / "index")
        self._index = loaded

    def use(self, value: int) -> None:
        """See Peer."""
        self._index.expansion_search = value

    def query(self, queries: np.ndarray, threads: int) -> np.ndarray:
        """See Peer."""
        result = self._index.search(queries, RECALL_DEPTH, threads=threads).keys
        return np.asarray(result).reshape(len(queries), -1).astype(np.int64) + 1
