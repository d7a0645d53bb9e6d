"""The data sets whose quality is measured: their folders, configurations and protocols."""

import json
import os
import pathlib
import shutil
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from benchmarks.quality import movielens
from pipeline.simulator.simulate import ShopSize, simulate
from schema.errors import UsageError

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
SHOP_SEED = 7
NAMES = ("movietweetings", "beauty", "simulated", "ml-1m", "ml-1m-clock")
MOVIETWEETINGS, BEAUTY, SIMULATED, ML_1M, ML_1M_CLOCK = NAMES
_COUNTERS: dict[str, float | None] = {
    "popular, all time": None,
    "popular, last 7 days": 7.0,
    "popular, last day": 1.0,
}


class DataSet(NamedTuple):
    """One data set, ready for a run."""

    name: str
    config: pathlib.Path
    """The TOML file."""
    data: pathlib.Path
    """Folder to which the TOML's paths are relative."""
    protocol: str
    """The referee's name for the evaluation protocol."""
    source: pathlib.Path
    """The referee's input for its split."""
    home: pathlib.Path
    """Folder of all measurements on this data set."""
    counters: dict[str, float | None]
    """Popularity baselines by name: the number of last days that count, None for all time."""

    def ceiling(self) -> dict[str, dict[str, float]]:
        """The upper bound for any method, by name; empty if the truth is unknown."""
        truth = self.data / "truth.json"
        if not truth.exists():
            return {}
        return {"ceiling of any method": json.loads(truth.read_text(encoding="utf-8"))["ceiling"]}


def prepare_data_set(name: str, root: pathlib.Path, events: int) -> DataSet:
    """The data set under `root`, created there if necessary; `events` is the size of the simulated
    shop.

    Raises UsageError if a public data set is missing.
    """
    if name == MOVIETWEETINGS:
        return _open_movietweetings(root)
    if name == BEAUTY:
        return _prepare_beauty(root)
    if name == ML_1M:
        return _prepare_ml_1m(root)
    if name == ML_1M_CLOCK:
        return _prepare_ml_1m_clock(root)
    return _prepare_simulated(root, events)


def _open_movietweetings(root: pathlib.Path) -> DataSet:
    folder = _find_public("movietweetings-100k")
    return DataSet(
        MOVIETWEETINGS, CHECKOUT / "configs/movietweetings.toml", folder,
        "movietweetings", folder, root / MOVIETWEETINGS, _COUNTERS,
    )  # fmt: skip


def _prepare_beauty(root: pathlib.Path) -> DataSet:
    home, source = root / BEAUTY, _find_public("amazon-beauty")
    data = home / "data"
    if not data.exists():
        making = _create_empty(home / "data.making")
        log = shutil.copyfile(source / "Beauty.txt", making / "Beauty.txt")
        attributes = json.loads((source / "Beauty_item2attributes.json").read_text("utf-8"))
        items = attributed_items(log.read_text(encoding="utf-8"), attributes)
        _write_lines(making / "items.jsonl", [json.dumps(item) for item in items])
        making.rename(data)
    return DataSet(
        BEAUTY, CHECKOUT / "configs/amazon-beauty.toml", data,
        "sequences", data / "Beauty.txt", home, {"popular": None},
    )  # fmt: skip


def attributed_items(log: str, attributes: dict[str, list[int]]) -> list[dict[str, Any]]:
    """Every item of the log ("user item item …" lines), ordered by its number, with its attributes;
    an item without attributes gets an empty list.
    """
    present = {item for line in log.splitlines() for item in line.split()[1:]}
    return [
        {"item_id": item, "attributes": attributes.get(item, [])}
        for item in sorted(present, key=int)
    ]


def _prepare_ml_1m(root: pathlib.Path) -> DataSet:
    """Each user's last rating is test: the protocol of the sequential recommenders' papers."""
    home = root / ML_1M
    data = _prepare_movielens(root, home, movielens.write_sequences)
    return DataSet(
        ML_1M, CHECKOUT / "configs/ml-1m.toml", data,
        "sequences", data / "ml-1m.txt", home, {"popular": None},
    )  # fmt: skip


def _prepare_ml_1m_clock(root: pathlib.Path) -> DataSet:
    home = root / ML_1M_CLOCK
    data = _prepare_movielens(root, home, movielens.write_log)
    return DataSet(
        ML_1M_CLOCK, CHECKOUT / "configs/recipes/movielens-1m.toml", data,
        "movietweetings", _find_movielens(root), home, _COUNTERS,
    )  # fmt: skip


def _prepare_movielens(
    root: pathlib.Path, home: pathlib.Path, write: Callable[[pathlib.Path, pathlib.Path], None]
) -> pathlib.Path:
    data = home / "data"
    if not data.exists():
        making = _create_empty(home / "data.making")
        write(_find_movielens(root), making)
        making.rename(data)
    return data


def _find_movielens(root: pathlib.Path) -> pathlib.Path:
    return movielens.find_files(_public_data(), root / "ml-1m-files")


def _prepare_simulated(root: pathlib.Path, events: int) -> DataSet:
    home = root / f"{SIMULATED}-{events}"
    data, source = home / "data", home / "as-ratings"
    if not data.exists():
        making = home / "data.making"
        simulate(
            making,
            ShopSize(users=max(events // 20, 100), items=max(events // 40, 50), events=events),
            seed=SHOP_SEED,
        )
        making.rename(data)
    if not source.exists():
        making = _create_empty(home / "as-ratings.making")
        _write_lines(
            making / "ratings.dat", map(_format_rating, _read_lines(data / "events.jsonl"))
        )
        _write_lines(making / "movies.dat", map(_movie, _read_lines(data / "items.jsonl")))
        making.rename(source)
    return DataSet(
        SIMULATED, CHECKOUT / "configs/simulated.toml", data,
        "movietweetings", source, home, _COUNTERS,
    )  # fmt: skip


def _format_rating(line: str) -> str:
    event = json.loads(line)
    return f"{event['user_id']}::{event['item_id']}::0::{event['timestamp']}"


def _movie(line: str) -> str:
    return f"{json.loads(line)['item_id']}::::"


def _find_public(folder: str) -> pathlib.Path:
    """A public data set's folder; UsageError if it is missing."""
    data = _public_data()
    result = data / folder
    if not result.is_dir():
        raise UsageError(
            f"expected the data set {folder} in {data}, found no such folder; "
            "set TANDEM_DATA to the folder that holds the public data sets"
        )
    return result


def _public_data() -> pathlib.Path:
    default = CHECKOUT.parent / "shared" / "data"
    return pathlib.Path(os.environ.get("TANDEM_DATA", default)).absolute()


def _create_empty(folder: pathlib.Path) -> pathlib.Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _read_lines(path: pathlib.Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def _write_lines(path: pathlib.Path, lines: Iterable[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
