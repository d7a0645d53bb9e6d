"""How fast and how accurate are our indexes and other libraries' on the same vectors?

    python -m benchmarks.index [--items 1000000] [--dim 64] [--sets NAME ...]
        [--candidates FOLDER ...] [--only NAME ...] [--json] [--plot FILE.svg]

Ours are tuned as the pipeline tunes them; for the others, the smallest parameter of a ladder that
reaches an ANN recall@100 of .95 is used. Each is built once with all threads and saved, then loaded
in a new process and searched with queries that were not used for tuning: with one thread, and with
all. The processes of all indexes alternate, round by round. `--candidates` adds real item vectors
with real queries: the candidates folder of a finished run's RetrievalTrainer.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
from typing import Any

from benchmarks.index import names as index_names
from benchmarks.index import plot, rounds, table
from benchmarks.index import vectors as index_vectors
from benchmarks.index.names import EXACT, IVF, IVF_INT8, SCANN

TARGET = 0.95
ROUNDS = 5


def main() -> None:
    """Measures, then prints a table or, with --json, only one JSON object; progress on stderr."""
    args = _arguments()
    if missing := index_names.missing(args.only):
        sys.exit(f"not installed: {', '.join(missing)}; pip install -e .[peers], or use --only")
    values_by_name = {}
    for name in args.sets:
        values_by_name[name] = _measure(args.only, name, [name, str(args.items), str(args.dim)])
    for folder in args.candidates:
        values_by_name[str(folder)] = _measure(args.only, str(folder), [str(folder.absolute())])
    if args.plot is not None:
        plot.save(values_by_name, TARGET, args.plot)
    results = headline(values_by_name) | {"sets": values_by_name}
    print(json.dumps(results, indent=1) if args.json else table.table(values_by_name, TARGET))


def _measure(names: list[str], title: str, vectors: list[str]) -> dict[str, Any]:
    """Results for one set of vectors, drawn or copied in its own process as `vectors` specifies."""
    with tempfile.TemporaryDirectory() as root:
        folder = pathlib.Path(root)
        _print_progress(f"{title}: vectors")
        command = [sys.executable, "-m", "benchmarks.index.vectors", root, *vectors]
        subprocess.run(command, check=True, env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"})
        made = {}
        for name in names:
            made[name] = rounds.build(name, folder, TARGET)
            _print_progress(f"{title}: {name} built in {made[name]['build_seconds']:.1f} s")
        measurements = {}
        for threads in sorted({1, os.cpu_count() or 1}):
            measurements[str(threads)] = rounds.measure(made, folder, threads, ROUNDS)
            _print_progress(f"{title}: measured with {threads} threads")
        items, dim = index_vectors.shape(folder)
    return {
        "items": items,
        "dim": dim,
        "rows": [
            made[name] | {"name": name, "asked": select_index(measurements, name)} for name in names
        ],
    }


def select_index(measurements: dict[str, dict[str, Any]], name: str) -> dict[str, Any]:
    """The measurements of `name` by number of threads."""
    return {threads: by_name[name] for threads, by_name in measurements.items()}


def headline(result: dict[str, Any]) -> dict[str, float | None]:
    """Ratios for the first set of vectors, with all threads; null where an index was not measured
    or misses the target.
    """
    first = next(iter(result.values()), {"items": 0, "dim": 0, "rows": []})
    rows = {row["name"]: row for row in first["rows"]}
    stored = 4 * first["items"] * first["dim"]
    return {
        "scann_p50_ratio_to_exact": _ratio(rows.get(SCANN)),
        "stock_p50_ratio_to_exact": _ratio(rows.get(IVF)),
        "int8_p50_ratio_to_exact": _ratio(rows.get(IVF_INT8)),
        "int8_bytes_ratio_to_vectors": (
            rows[IVF_INT8]["bytes"] / stored if IVF_INT8 in rows else None
        ),
    }


def _ratio(row: dict[str, Any] | None) -> float | None:
    if row is None:
        return None
    measured = row["asked"][max(row["asked"], key=int)]
    return measured["p50_ratio_to_exact"] if measured["ann_recall@100"] >= TARGET else None


def _print_progress(progress: str) -> None:
    print(progress, file=sys.stderr, flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.index",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--items", type=int, default=1_000_000, help="(default: %(default)s)")
    parser.add_argument("--dim", type=int, default=64, help="(default: %(default)s)")
    parser.add_argument(
        "--sets",
        nargs="*",
        choices=index_vectors.DRAWN,
        default=list(index_vectors.DRAWN),
        help="vectors to draw (default: all)",
    )
    parser.add_argument(
        "--candidates",
        nargs="*",
        type=pathlib.Path,
        default=[],
        help="candidates folders with trained vectors",
    )
    parser.add_argument(
        "--only",
        nargs="+",
        choices=index_names.ALL,
        default=list(index_names.ALL),
        metavar="NAME",
        help=f"of {', '.join(index_names.ALL)} (default: all; ratios need {EXACT})",
    )
    parser.add_argument("--json", action="store_true", help="print only JSON on stdout")
    parser.add_argument("--plot", type=pathlib.Path, help="SVG of the frontiers")
    return parser.parse_args()
