"""Builds and saves an index in this process, or loads and queries one: prints JSON.

python -m benchmarks.index.scale_step build|load NAME FOLDER
"""

import json
import os
import pathlib
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks.index import forms
from benchmarks.index import vectors as index_vectors
from benchmarks.index.names import EXACT
from serving.index.build import Index, save_index
from serving.index.exact import ExactIndex
from serving.index.leaves import choose_leaf_count
from serving.index.scann import import_scann_ops
from serving.index.tuning import IndexSetting

_PROBES = 24
_REORDERING = 600


def peak_bytes(work: Callable[[], Any]) -> tuple[Any, int, float]:
    """The result of `work`, the peak resident memory meanwhile, and its seconds. Linux only."""
    pathlib.Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")  # resets the peak
    begin = time.perf_counter()
    result = work()
    seconds = time.perf_counter() - begin
    return result, _status("VmHWM"), seconds


def _status(field: str) -> int:
    lines = pathlib.Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))


def build(name: str, folder: pathlib.Path) -> dict[str, Any]:
    """Builds the index, then saves it next to the vectors."""
    import_scann_ops()
    before = _status("VmRSS")
    index, built, build_seconds = peak_bytes(lambda: _index(name, folder))
    into, dim = folder / name, index_vectors.shape(folder)[1]
    _, saved, save_seconds = peak_bytes(lambda: save_index(index, dim, str(into)))
    size = sum(file.stat().st_size for file in into.rglob("*") if file.is_file())
    return {
        "bytes": size,
        "build": {"seconds": build_seconds, "peak_bytes": built - before},
        "save": {"seconds": save_seconds, "peak_bytes": saved - before},
    }


def load(name: str, folder: pathlib.Path) -> dict[str, Any]:
    """Loads the index and runs one query, which completes the initialisation of some indexes."""
    import_scann_ops()
    query = index_vectors.queries(folder)[:1]
    before = _status("VmRSS")
    threads = os.cpu_count() or 1
    result, peak, seconds = peak_bytes(lambda: forms.load(name, folder / name, threads)(query))
    if not result.all():
        sys.exit(f"expected 100 items from {name}, received {result}")
    return {"load": {"seconds": seconds, "peak_bytes": peak - before}}


def _index(name: str, folder: pathlib.Path) -> Index:
    vectors = index_vectors.vectors(folder)
    if name == EXACT:
        return ExactIndex(vectors)
    setting = IndexSetting(choose_leaf_count(len(vectors)), _PROBES, _REORDERING)
    return forms.index(name, vectors, setting)


def main(step: str, name: str, folder: str) -> None:
    """Runs one step; the last line printed is JSON."""
    print(json.dumps({"build": build, "load": load}[step](name, pathlib.Path(folder))))


if __name__ == "__main__":
    main(*sys.argv[1:])
