"""Run directories whose pushed recommender has a given number of items and kind of index."""

import json
import pathlib
import subprocess
import sys
from typing import Any

from benchmarks import refresh

_DEPTH = 200


def train_shop(folder: pathlib.Path) -> tuple[pathlib.Path, pathlib.Path]:
    """A small simulated shop and a finished run of it."""
    shop, root = folder / "shop", folder / "trained"
    _tandem("simulate", *refresh.SHOP, "--out", str(shop))
    _tandem(
        "run", "--config", str(refresh.CONFIG), "--data", str(shop), "--root", str(root),
        *refresh.SMALL,
    )  # fmt: skip
    return shop, root


def add_items(
    shop: pathlib.Path, root: pathlib.Path, items: int, index: str, into: pathlib.Path
) -> list[str]:
    """Writes a refreshed copy of the run's pushed models to `into`; returns the ids of its items.

    Its recommender ranks 200 candidates, even if ranking did not pay in so small a shop.
    """
    refresh.copy_pushed(root, into, index)
    _rank(into / "serving" / "recommender" / "1" / "assets.extra" / "origin.json")
    lines = (shop / "items.jsonl").read_text(encoding="utf-8").splitlines()
    existing = [json.loads(line) for line in lines]
    new = list(refresh.items(existing, items - len(existing), 0))
    path = into / "new.jsonl"
    path.write_text("".join(f"{json.dumps(item)}\n" for item in new), encoding="utf-8")
    _tandem("refresh", "--root", str(into), "--items", str(path))
    return [item["item_id"] for item in existing + new]


def _rank(path: pathlib.Path) -> None:
    origin: dict[str, Any] = json.loads(path.read_bytes())
    origin["evaluated"] |= {"order": "ranking", "ranking_candidates": _DEPTH}
    path.write_text(json.dumps(origin), encoding="utf-8")


def _tandem(*words: str) -> None:
    command = [sys.executable, "-m", "pipeline.cli", *words]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
