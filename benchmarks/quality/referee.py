"""The independent referee, which splits the data and scores lists."""

import json
import os
import pathlib
import subprocess
import sys
from typing import Any

from benchmarks.quality.data import CHECKOUT, DataSet
from schema.errors import UsageError

METRICS = ("recall@10", "ndcg@10", "recall@100", "coverage@10", "new_items_recall@100")
_USER_METRICS = METRICS[:3]


def script() -> pathlib.Path:
    """The referee's script; UsageError if it is missing."""
    default = CHECKOUT.parent / "shared" / "referee" / "score.py"
    path = pathlib.Path(os.environ.get("TANDEM_REFEREE", default))
    if not path.is_file():
        raise UsageError(
            f"expected the referee's script at {path}, found no such file; "
            "set TANDEM_REFEREE to its path"
        )
    return path


def split(referee: pathlib.Path, data_set: DataSet) -> pathlib.Path:
    """Folder of the referee's split, created once."""
    folder = data_set.home / "split"
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        making = folder.with_name("split.making")
        _run(
            referee, "split", "--data", data_set.protocol,
            "--source", str(data_set.source), "--out", str(making),
        )  # fmt: skip
        making.rename(folder)
    return folder


def score(referee: pathlib.Path, split: pathlib.Path, lists: pathlib.Path) -> dict[str, float]:
    """METRICS of a file with ranked lists."""
    return metrics(_run(referee, "score", "--split", str(split), "--lists", str(lists), "--json"))


def metrics(message: str) -> dict[str, float]:
    """METRICS from the JSON that `score --json` prints, without those that are undefined: new
    items' recall if the test split has no new item.
    """
    document: dict[str, Any] = json.loads(message)
    values = {name: document["all"][name] for name in _USER_METRICS}
    values["coverage@10"] = document["coverage@10"]
    if document["new_items_answers"]:
        values["new_items_recall@100"] = document["new_items_recall@100"]
    return values


def test_users(split: pathlib.Path) -> list[str]:
    """Distinct ids of the test users, in the order of their first test event."""
    return list(dict.fromkeys(event["user_id"] for event in rows(split / "test.jsonl")))


def rows(path: pathlib.Path) -> list[dict[str, Any]]:
    """The rows of a JSON Lines file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _run(referee: pathlib.Path, *arguments: str) -> str:
    command = [sys.executable, str(referee), *arguments]
    completed = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if completed.returncode:
        sys.exit(f"quality: the referee's `{arguments[0]}` failed; its own words are above")
    return completed.stdout
