"""What is compared: our forms of the index, and other libraries' by name."""

import importlib
import importlib.util
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from benchmarks.index_peers import Peer

EXACT, IVF, IVF_INT8, SCANN = FORMS = ("exact", "ivf-float32", "ivf-int8", "scann")


class _Where(NamedTuple):
    library: str
    module: str
    """Of ours, imported only where the peer is asked: some take seconds."""
    name: str


_PEERS = {
    "scann-api": _Where("scann", "benchmarks.index_peers", "ScannApi"),
    "faiss-ivfpq": _Where("faiss", "benchmarks.index_faiss", "FaissIvfPq"),
    "faiss-hnsw": _Where("faiss", "benchmarks.index_faiss", "FaissHnsw"),
    "hnswlib": _Where("hnswlib", "benchmarks.index_peers", "Hnswlib"),
    "usearch": _Where("usearch", "benchmarks.index_peers", "Usearch"),
}
ALL = (*FORMS, *_PEERS)


def peer(name: str) -> "Peer":
    """An empty index of that library."""
    where = _PEERS[name]
    return getattr(importlib.import_module(where.module), where.name)()


def missing(names: list[str]) -> list[str]:
    """Those whose library is not installed."""
    return [
        name
        for name in names
        if name in _PEERS and importlib.util.find_spec(_PEERS[name].library) is None
    ]
