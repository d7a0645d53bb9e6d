"""A search that is killed during a trial and resumed, through the command line only."""

import json
import os
import pathlib
import signal
import subprocess
import sys

import pytest

from pipeline.config.config import load_config

pytestmark = pytest.mark.e2e

CONFIG = """
name = "tiny"
[data.interactions]
path = "events.csv"
[data.items]
path = "items.csv"
[retrieval]
epochs = 1
uniform_negatives = 8
[tune]
trials = 2
[tune.retrieval]
embedding_dim = [8, 12, 16]
learning_rate = { min = 0.001, max = 0.1, sampling = "log" }
"""
T0 = 1_600_000_000


@pytest.fixture
def shop(tmp_path):
    """600 events: all users interact with the items in the same order, from different starts."""
    rows = [f"u{n % 20},i{(n % 20 * 7 + n // 20) % 40},{T0 + 600 * n}" for n in range(600)]
    (tmp_path / "events.csv").write_text("\n".join(["user_id,item_id,timestamp", *rows]) + "\n")
    (tmp_path / "items.csv").write_text("\n".join(["item_id", *(f"i{n}" for n in range(40))]))
    (tmp_path / "tiny.toml").write_text(CONFIG)
    return tmp_path


def start_tuning(shop, *more: str) -> subprocess.Popen[str]:
    """Starts the command as a user types it."""
    options = ["--config", str(shop / "tiny.toml"), "--root", str(shop / "root")]
    return subprocess.Popen(
        [sys.executable, "-m", "pipeline.cli", "tune", *options, *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONWARNINGS": "default"},
    )


def read_records(folder: pathlib.Path) -> dict[str, str]:
    """Records of finished trials, by file name."""
    return {path.name: path.read_text() for path in folder.glob("tuning/*/*.json")}


def test_a_killed_search_resumes_with_the_remaining_trials(shop):
    root = shop / "root"
    process = start_tuning(shop)
    assert process.stdout is not None
    assert process.stderr is not None
    first_result = "trial 1 of 2: valid_ndcg@10="
    reached = any(line.lstrip().startswith(first_result) for line in process.stdout)
    assert reached, process.stderr.read()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    before = read_records(root)
    assert len(before) == 1
    assert not (root / "tuned.toml").exists()
    moment = {path: path.stat().st_mtime_ns for path in root.glob("tuning/*/*.json")}

    output, errors = start_tuning(shop, "--json").communicate()
    document = json.loads(output)
    executed = [stage["name"] for stage in document["stages"] if not stage["cached"]]
    assert executed == ["RetrievalTuner"], errors
    assert {path: path.stat().st_mtime_ns for path in moment} == moment
    after = read_records(root)
    assert len(after) == 2
    assert before.items() <= after.items()
    assert sorted(trial["trial"] for trial in document["trials"]) == [1, 2]

    records = [json.loads(text) for text in after.values()]
    best = max(records, key=lambda trial: trial["metrics"]["valid_ndcg@10"])
    assert document["best"]["retrieval"] == best["values"]
    tuned, original = load_config(root / "tuned.toml"), load_config(shop / "tiny.toml")
    assert tuned.retrieval == original.retrieval.model_copy(update=best["values"])
    assert tuned.model_copy(update={"retrieval": original.retrieval}) == original

    again, _ = start_tuning(shop, "--json").communicate()
    assert all(stage["cached"] for stage in json.loads(again)["stages"])
    assert json.loads(again)["trials"] == document["trials"]
