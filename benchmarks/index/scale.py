"""How do the indexes scale? Seconds, disk bytes and peak memory of building, saving and loading.

    python -m benchmarks.index.scale [--items 1000000 10000000] [--dim 64 32] [--only NAME ...]
        [--folder FOLDER] [--json]

The i-th number of items is paired with the i-th width. Vectors are those of `benchmarks.index`'s
clustered set, memory-mapped. Nothing is tuned: sqrt(n) leaves, 24 of them searched. Each index is
built and saved in its own process, and loaded and queried once in another. Memory is the process's
peak less its memory after the imports, as a multiple of the vectors' bytes; it includes the
vectors' own pages that are read.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
from typing import Any

from benchmarks.index import vectors
from benchmarks.index.names import FORMS, IVF, IVF_INT8, SCANN

STEPS = ("build", "save", "load")


def main() -> None:
    """Measures, then prints a table or, with --json, only one JSON object; progress on stderr."""
    args = _arguments()
    if len(args.items) != len(args.dim):
        sys.exit(f"expected as many --dim as --items, {len(args.items)}, received {len(args.dim)}")
    rows = []
    with tempfile.TemporaryDirectory(dir=args.folder) as root:
        for items, dim in zip(args.items, args.dim, strict=True):
            folder = pathlib.Path(root, f"{items}x{dim}")
            folder.mkdir()
            vectors.draw(vectors.CLUSTERED, items, dim, folder)
            for name in args.only:
                rows.append(measure(name, folder) | {"items": items, "dim": dim})
                print(f"{items} x {dim}: {name} measured", file=sys.stderr, flush=True)
    print(json.dumps({"rows": rows}, indent=1) if args.json else table(rows))


def measure(name: str, folder: pathlib.Path) -> dict[str, Any]:
    """Bytes of one index over the vectors in `folder`, and seconds and memory by step."""
    built = _run("build", name, str(folder))
    return {"name": name} | built | _run("load", name, str(folder))


def table(rows: list[dict[str, Any]]) -> str:
    """The results as a Markdown table."""
    columns = ["items", "columns", "index", "MB on disk", "of vectors"]
    columns += [f"{step}, {unit}" for unit in ("s", "peak of vectors") for step in STEPS]
    lines = [_line(columns), _line(["---"] * len(columns))]
    for row in rows:
        stored = 4 * row["items"] * row["dim"]
        cells = [f"{row['items']:,}", str(row["dim"]), row["name"]]
        cells += [f"{row['bytes'] / 1e6:,.0f}", f"{row['bytes'] / stored:.2f}"]
        cells += [f"{row[step]['seconds']:.1f}" for step in STEPS]
        cells += [f"{row[step]['peak_bytes'] / stored:.2f}" for step in STEPS]
        lines.append(_line(cells))
    return "\n".join(lines)


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _run(step: str, name: str, folder: str) -> dict[str, Any]:
    quiet = {**os.environ, "TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-m", "benchmarks.index.scale_step", step, name, folder]
    completed = subprocess.run(command, capture_output=True, text=True, check=False, env=quiet)
    if completed.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{completed.stderr}")
    return json.loads(completed.stdout.strip().rpartition("\n")[2])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.index.scale",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--items", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--dim", type=int, nargs="+", default=[64, 32])
    parser.add_argument("--only", nargs="+", choices=FORMS, default=[IVF, IVF_INT8, SCANN])
    parser.add_argument("--folder", type=pathlib.Path, help="where files go meanwhile")
    parser.add_argument("--json", action="store_true", help="print only JSON on stdout")
    return parser.parse_args()


if __name__ == "__main__":
    main()
