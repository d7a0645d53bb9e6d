"""How far do the indexes go? Seconds, bytes on disk and peak memory of building, saving, loading.

    python -m benchmarks.index_scale [--items 1000000 10000000] [--dim 64 32] [--only NAME ...]
        [--folder FOLDER] [--json]

The i-th number of items goes with the i-th width. Vectors are those of `benchmarks.index`'s
clustered set, memory-mapped. Nothing is tuned: sqrt(n) leaves, 24 of them read. Each index is
built and saved in a process of its own, and loaded and asked once in another. Memory is what the
process holds at the peak beyond what it held after its imports, the vectors' own pages included
where they are read, as a multiple of the vectors' bytes.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
from typing import Any

from benchmarks import index_vectors
from benchmarks.index_names import FORMS, IVF, IVF_INT8, SCANN

STEPS = ("build", "save", "load")


def main() -> None:
    """Measures, then prints a table or, with --json, one JSON object alone; progress on stderr."""
    args = _arguments()
    if len(args.items) != len(args.dim):
        sys.exit(f"expected as many --dim as --items, {len(args.items)}, received {len(args.dim)}")
    rows = []
    with tempfile.TemporaryDirectory(dir=args.folder) as root:
        for items, dim in zip(args.items, args.dim, strict=True):
            folder = pathlib.Path(root, f"{items}x{dim}")
            folder.mkdir()
            index_vectors.draw(index_vectors.CLUSTERED, items, dim, folder)
            for name in args.only:
                rows.append(measured(name, folder) | {"items": items, "dim": dim})
                print(f"{items} x {dim}: {name} measured", file=sys.stderr, flush=True)
    print(json.dumps({"rows": rows}, indent=1) if args.json else table(rows))


def measured(name: str, folder: pathlib.Path) -> dict[str, Any]:
    """Of one index over the vectors in `folder`: bytes, and seconds and memory by step."""
    built = _run("build", name, str(folder))
    return {"name": name} | built | _run("load", name, str(folder))


def table(rows: list[dict[str, Any]]) -> str:
    """Markdown, for people."""
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
    command = [sys.executable, "-m", "benchmarks.index_scale_step", step, name, folder]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=quiet)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr}")
    return json.loads(done.stdout.strip().rpartition("\n")[2])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.index_scale",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--items", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--dim", type=int, nargs="+", default=[64, 32])
    parser.add_argument("--only", nargs="+", choices=FORMS, default=[IVF, IVF_INT8, SCANN])
    parser.add_argument("--folder", type=pathlib.Path, help="where files go meanwhile")
    parser.add_argument("--json", action="store_true", help="print JSON alone on stdout")
    return parser.parse_args()


if __name__ == "__main__":
    main()
