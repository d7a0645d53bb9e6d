"""Searches one saved index in this process, one round per line of input: prints JSON lines.

    python -m benchmarks.index.search_one NAME FOLDER THREADS PARAMETERS

The first line is the recall of the index, each further one the times of a round.
"""

import json
import pathlib
import sys
import time
from typing import Any

import numpy as np

from benchmarks.index import forms, names, vectors
from benchmarks.index.forms import Search
from benchmarks.index.vectors import QuerySet
from serving.index.measurement import RECALL_DEPTH, compute_ann_recall

_SINGLE = 100
_BATCH = 32
_BATCHES = 4
_NEAREST = 10


def measure_recall(search: Search, query_set: QuerySet) -> dict[str, float]:
    """ANN recall@10 and @100 on queries in batches of 32."""
    result = np.concatenate(
        [
            search(query_set.queries[at : at + _BATCH])
            for at in range(0, len(query_set.queries), _BATCH)
        ]
    )
    return {
        f"ann_recall@{depth}": float(
            compute_ann_recall(result, forms.exact(query_set, depth)).mean()
        )
        for depth in (_NEAREST, RECALL_DEPTH)
    }


def measure_times(search: Search, queries: np.ndarray) -> dict[str, Any]:
    """Milliseconds of 100 single queries, and queries per second over four batches of 32."""
    single = [_seconds(search, queries[[at % len(queries)]]) for at in range(_SINGLE)]
    batches = [
        _seconds(search, queries[np.arange(at * _BATCH, (at + 1) * _BATCH) % len(queries)])
        for at in range(_BATCHES)
    ]
    return {
        "single_ms": [1000 * seconds for seconds in single],
        "batch_per_second": _BATCH / float(np.median(batches)),
    }


def _seconds(search: Search, queries: np.ndarray) -> float:
    begin = time.perf_counter()
    search(queries)
    return time.perf_counter() - begin


def load(
    name: str, folder: pathlib.Path, dim: int, threads: int, parameters: dict[str, int]
) -> Search:
    """The search function of a saved index, ours or another library's."""
    if name in names.FORMS:
        return forms.load(name, folder, threads)
    peer = names.peer(name)
    peer.load(folder, dim)
    peer.use(parameters[peer.parameter])
    return lambda queries: peer.query(queries, threads)


def main(name: str, folder: str, threads: str, parameters: str) -> None:
    """Measures until the end of the input."""
    query_set = vectors.held_out(pathlib.Path(folder))
    dim = query_set.vectors.shape[1]
    search = load(name, pathlib.Path(folder, name), dim, int(threads), json.loads(parameters))
    print(json.dumps(measure_recall(search, query_set)), flush=True)
    search(query_set.queries[:1])
    for _ in sys.stdin:
        print(json.dumps(measure_times(search, query_set.queries)), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
