"""How long does a refresh take, compared with loading the models that it pushes?

    python -m benchmarks.refresh --items 100000 1000 --json

Trains on a small simulated shop, unless --root and --data name a finished run of one, and works on
a copy of its pushed models. The first number is the number of new items; each later one is a number
of those items that change, on the catalogue of that time. `seconds` is a whole `tandem refresh`,
including its start; `load_seconds` is a new process that only loads the three servables which it
has pushed.
"""

import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import Any

CONFIG = pathlib.Path(__file__).resolve().parents[1] / "configs" / "simulated.toml"
SHOP = ("--users", "400", "--items", "300", "--events", "9000", "--seed", "3")
SMALL = (
    "--set", "retrieval.epochs=2", "--set", "ranking.epochs=1",
    "--set", "blessing.baselines=[{baseline='popular'}]",
)  # fmt: skip
_LOAD = (
    "import os, sys, pathlib\n"
    'os.environ["TF_USE_LEGACY_KERAS"] = "1"\n'
    "from serving.server.servable import load_servable\n"
    "for folder in map(pathlib.Path, sys.argv[1:]):\n"
    "    load_servable(folder.parent.name, int(folder.name), folder)\n"
)


def main() -> int:
    """Runs the benchmark; prints a table, or with --json one JSON object."""
    args = _arguments()
    with tempfile.TemporaryDirectory(prefix="tandem-bench-") as name:
        folder = pathlib.Path(name)
        data, root = args.data or folder / "shop", args.root
        if root is None:
            root = folder / "trained"
            _tandem("simulate", *SHOP, "--out", str(data))
            _tandem("run", "--config", str(CONFIG), "--data", str(data), "--root", str(root),
                    *SMALL)  # fmt: skip
        rows = _measure(copy_pushed(root, folder / "root", args.index), data, args.items, folder)
    if args.json:
        print(json.dumps({"rows": rows}, indent=1))
    else:
        _show(rows)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--items", type=int, nargs="+", default=[100_000, 1_000])
    parser.add_argument("--root", type=pathlib.Path, help="a finished run of a simulated shop")
    parser.add_argument("--data", type=pathlib.Path, help="that shop")
    parser.add_argument("--index", default="ivf", choices=("ivf", "scann", "exact"))
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    if (args.root is None) != (args.data is None):
        parser.error("--root and --data go together")
    return args


def copy_pushed(root: pathlib.Path, copy: pathlib.Path, index: str) -> pathlib.Path:
    """Copies the part of a run that a refresh reads, with another kind of index in its
    configuration.
    """
    copy.mkdir()
    shutil.copytree(root / "serving", copy / "serving")
    shutil.copyfile(root / "metadata.sqlite", copy / "metadata.sqlite")
    summary = json.loads((root / "summary.json").read_text(encoding="utf-8"))
    summary["config"]["index"]["kind"] = index
    (copy / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    return copy


def _measure(
    root: pathlib.Path, data: pathlib.Path, sizes: list[int], folder: pathlib.Path
) -> list[dict[str, Any]]:
    lines = (data / "items.jsonl").read_text(encoding="utf-8").splitlines()
    existing = [json.loads(line) for line in lines]
    rows = []
    for turn, size in enumerate(sizes):
        path = folder / f"new-{turn}.jsonl"
        path.write_text("".join(f"{json.dumps(item)}\n" for item in items(existing, size, turn)))
        start = time.perf_counter()
        outcome = json.loads(
            _tandem("refresh", "--root", str(root), "--items", str(path), "--json").stdout
        )
        seconds = time.perf_counter() - start
        load = _load_seconds(list(outcome["servables"].values()))
        rows.append(_build_row(outcome, seconds, load))
    return rows


def items(existing: list[dict[str, Any]], size: int, turn: int) -> Iterator[dict[str, Any]]:
    """New combinations of the content of the shop's items; the ids are the same each turn."""
    count = len(existing)
    for n in range(size):
        words = existing[(7 * n + turn) % count]["title"].split()[:2]
        item = existing[(11 * n + n // count + turn) % count]
        title = " ".join([*words, item["title"].split()[-1]])
        yield {**item, "item_id": f"fresh-{n}", "title": title, "price": 1 + (n + turn) % 97}


def _load_seconds(folders: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", _LOAD, *folders], check=True, capture_output=True)
    return time.perf_counter() - start


def _build_row(outcome: dict[str, Any], seconds: float, load: float) -> dict[str, Any]:
    return {
        "added": outcome["items"]["added"],
        "changed": outcome["items"]["changed"],
        "catalogue": outcome["items"]["total"],
        "index": outcome["index"]["kind"],
        "ann_recall@100": outcome["index"]["ann_recall@100"],
        "seconds": round(seconds, 2),
        "seconds_inside": {name: round(value, 2) for name, value in outcome["seconds"].items()},
        "load_seconds": round(load, 2),
        "ratio_to_load": round(seconds / load, 2),
    }


def _tandem(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pipeline.cli", *words]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)


def _show(rows: list[dict[str, Any]]) -> None:
    print(f"{'added':>9}{'changed':>9}{'catalogue':>11}  index   s total   s load   ratio")
    for row in rows:
        print(
            f"{row['added']:9,}{row['changed']:9,}{row['catalogue']:11,}  {row['index']:6}"
            f"{row['seconds']:9.1f}{row['load_seconds']:9.1f}{row['ratio_to_load']:8.2f}"
        )


if __name__ == "__main__":
    sys.exit(main())
