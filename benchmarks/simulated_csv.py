"""A simulated shop's events as delimited text, the one format that CsvExampleGen reads."""

import pathlib
import sys

import pyarrow.json

from pipeline.simulator.simulate import simulate

FILE = "events.csv"


def write(folder: pathlib.Path, events: int, seed: int) -> None:
    """Makes `folder` with FILE: user_id, item_id, timestamp, device, purchase, rating."""
    users, items = max(events // 20, 100), min(max(events // 50, 200), 20_000)
    simulate(folder, users=users, items=items, events=events, seed=seed)
    pyarrow.json.read_json(folder / "events.jsonl").to_pandas().to_csv(folder / FILE, index=False)
    for other in folder.iterdir():
        if other.name != FILE:
            other.unlink()


if __name__ == "__main__":
    write(pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
