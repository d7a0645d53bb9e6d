"""The indexes that are compared: our index types, and other libraries' by name."""

import importlib
import importlib.util
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from benchmarks.index.peers import Peer

EXACT, IVF, IVF_INT8, SCANN = FORMS = ("exact", "ivf-float32", "ivf-int8", "scann")


class _Adapter(NamedTuple):
    library: str
    module: str
    """The adapter's module, imported only when needed: some imports take seconds."""
    name: str


_PEERS = {
    "scann-api": _Adapter("scann", "benchmarks.index.peers", "ScannApi"),
    "faiss-ivfpq": _Adapter("faiss", "benchmarks.index.faiss_peers", "FaissIvfPq"),
    "faiss-hnsw": _Adapter("faiss", "benchmarks.index.faiss_peers", "FaissHnsw"),
    "hnswlib": _Adapter("hnswlib", "benchmarks.index.peers", "Hnswlib"),
    "usearch": _Adapter("usearch", "benchmarks.index.peers", "Usearch"),
}
ALL = (*FORMS, *_PEERS)


def peer(name: str) -> "Peer":
    """An empty index of the named library."""
    adapter = _PEERS[name]
    return getattr(importlib.import_module(adapter.module), adapter.name)()


def missing(names: list[str]) -> list[str]:
    """The names whose library is not installed."""
    return [
        name
        for name in names
        if name in _PEERS and importlib.util.find_spec(_PEERS[name].library) is None
    ]
