"""Builds, tunes and saves one index in this process: prints JSON.

python -m benchmarks.index.build_one NAME FOLDER TARGET THREADS
"""

import json
import pathlib
import sys
import time

import numpy as np

from benchmarks.index import forms, names, vectors
from benchmarks.index.forms import BuiltIndex
from benchmarks.index.peers import Peer
from benchmarks.index.vectors import QuerySet
from serving.index.measurement import compute_ann_recall

_TIMED = 50
_ENOUGH = 0.99
"""The recall at which the ladder ends."""


def build_peer(
    peer: Peer, query_set: QuerySet, target: float, threads: int, folder: pathlib.Path
) -> BuiltIndex:
    """Climbs the ladder and selects the first step that reaches `target`, or the last one if none
    does.
    """
    begin = time.perf_counter()
    peer.build(query_set.vectors)
    seconds = time.perf_counter() - begin
    peer.save(folder)
    points: list[tuple[float, float]] = []
    chosen = None
    for value in peer.ladder:
        peer.use(value)
        points.append(_measure_point(peer, query_set, threads))
        if chosen is None and points[-1][0] >= target:
            chosen = value
        if points[-1][0] >= _ENOUGH:
            break
    return BuiltIndex(seconds, {peer.parameter: chosen or peer.ladder[-1]}, points)


def _measure_point(peer: Peer, query_set: QuerySet, threads: int) -> tuple[float, float]:
    response = peer.query(query_set.queries, threads)
    seconds = []
    for query in query_set.queries[:_TIMED]:
        begin = time.perf_counter()
        peer.query(query[np.newaxis], threads)
        seconds.append(time.perf_counter() - begin)
    return float(compute_ann_recall(response, forms.exact(query_set)).mean()), 1000 * float(
        np.median(seconds)
    )


def main(name: str, folder: str, target: str, threads: str) -> None:
    """Writes the index to `folder`/`name`; the last line printed is the result as JSON."""
    queries = vectors.for_tuning(pathlib.Path(folder))
    into = pathlib.Path(folder, name)
    into.mkdir()
    if name in names.FORMS:
        made = forms.build(name, queries, float(target), into)
    else:
        made = build_peer(names.peer(name), queries, float(target), int(threads), into)
    size = sum(file.stat().st_size for file in into.rglob("*") if file.is_file())
    print(json.dumps(made._asdict() | {"bytes": size}))


if __name__ == "__main__":
    main(*sys.argv[1:])
