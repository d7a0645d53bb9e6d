"""A simulated shop's events as delimited text, the one format that CsvExampleGen reads."""

import pathlib
import sys

import pyarrow.json

from pipeline.simulator.simulate import ShopSize, simulate

FILE = "events.csv"
CATALOGUE = "catalogue/items.jsonl"
"""In its own folder, because CsvExampleGen reads every file next to FILE as events."""


def write(folder: pathlib.Path, events: int, seed: int) -> None:
    """Creates `folder` with FILE (user_id, item_id, timestamp, device, purchase, rating) and
    CATALOGUE.
    """
    users, items = max(events // 20, 100), min(max(events // 50, 200), 20_000)
    simulate(folder, ShopSize(users, items, events), seed=seed)
    pyarrow.json.read_json(folder / "events.jsonl").to_pandas().to_csv(folder / FILE, index=False)
    (folder / CATALOGUE).parent.mkdir()
    (folder / "items.jsonl").rename(folder / CATALOGUE)
    for other in folder.iterdir():
        if other.is_file() and other.name != FILE:
            other.unlink()


if __name__ == "__main__":
    write(pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
