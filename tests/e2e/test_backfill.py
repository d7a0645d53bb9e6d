"""A backfill of three days of a small shop, killed in the middle and resumed."""

import json
import os
import pathlib
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1200)]

CONFIG = pathlib.Path(__file__).resolve().parents[2] / "configs" / "recurring.toml"
DAYS = ["2024-02-26", "2024-02-27", "2024-02-28"]
SMALL = [
    "--set", "data.interactions.last_spans=20",
    "--set", "split.train_days=16",
    "--set", "retrieval.epochs=2", "--set", "retrieval.warm_epochs=1", "--set", "ranking.epochs=1",
    "--set", "retrieval.user_ids=true",
    "--set", "blessing.baselines=[]", "--set", "blessing.pushed=[]",
]  # fmt: skip
COMPLETE = 3  # ml_metadata's Execution.State


def command(*args: str) -> list[str]:
    return [sys.executable, "-m", "pipeline.cli", *args]


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """About 100 events a day; no window reaches the earliest ones."""
    out = tmp_path_factory.mktemp("shop")
    size = ["--users", "300", "--items", "200", "--events", "12000", "--seed", "5", "--by-day"]
    subprocess.run(command("simulate", *size, "--out", str(out)), check=True, capture_output=True)
    return out


@pytest.fixture(scope="module")
def arguments(shop, tmp_path_factory):
    """The backfill's root and its command line."""
    root = tmp_path_factory.mktemp("root")
    span = ["--from", DAYS[0], "--to", DAYS[-1]]
    options = ["--config", str(CONFIG), "--data", str(shop), "--root", str(root), *span, *SMALL]
    return root, ["backfill", *options]


def count_executions(root, component):
    """The number of completed executions of a component."""
    with sqlite3.connect(root / "metadata.sqlite") as metadata:
        return metadata.execute(
            "select count(*) from Execution e join Type t on e.type_id = t.id"
            " where e.last_known_state = ? and t.name like ?",
            (COMPLETE, f"%{component}"),
        ).fetchone()[0]


@pytest.fixture(scope="module")
def killed(arguments):
    """The root of a backfill that is killed after the first day, during the second."""
    root, options = arguments
    process = subprocess.Popen(
        command(*options), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env=os.environ | {"PYTHONWARNINGS": "default"},
    )  # fmt: skip
    assert process.stdout is not None
    output = next((line for line in process.stdout if line.startswith(DAYS[0])), "")
    assert "pushed version 1" in output
    while count_executions(root, "InteractionsGen") < 2:
        time.sleep(0.2)
        assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    record = json.loads((root / "backfill.json").read_text())
    assert [day["span"] for day in record["days"]] == DAYS[:1]
    return root


@pytest.fixture(scope="module")
def record(killed, arguments):
    """The record of the same command, which resumes the backfill."""
    _, options = arguments
    completed = subprocess.run(
        command(*options, "--json"), check=False, capture_output=True, text=True,
        env=os.environ | {"PYTHONWARNINGS": "default"},
    )  # fmt: skip
    assert completed.returncode == 0, completed.stderr[-3000:]
    assert f"{DAYS[0]}  already finished" in completed.stderr
    document = json.loads(completed.stdout)
    assert json.loads((killed / "backfill.json").read_text()) == document
    return document


def test_no_finished_day_and_no_finished_stage_is_run_twice(record, killed):
    assert [day["span"] for day in record["days"]] == DAYS
    for component in ("InteractionsGen", "RetrievalTrainer", "Evaluator", "Pusher"):
        assert count_executions(killed, component) == 3


def test_each_day_trains_on_the_window_before_it_and_is_evaluated_on_itself(record, shop):
    for day in record["days"]:
        lines = (shop / "events" / day["span"] / "events.jsonl").read_text().splitlines()
        assert day["events"]["test"] == len(lines)


def test_each_day_starts_from_the_version_that_the_previous_day_pushed(record):
    first, second, third = record["days"]
    assert first["warm_start"] == {"version": None, "reason": "nothing is pushed yet"}
    assert [day["pushed"] for day in record["days"]] == [1, 2, 3]
    for day, version in ((second, 1), (third, 2)):
        warm = day["warm_start"]
        assert (warm["version"], warm["anew"]) == (version, [])
        assert warm["rows"]["item_id"] == {"carried": 200, "new": 0}
        assert warm["rows"]["user_id"]["carried"] > warm["rows"]["user_id"]["new"]


def test_the_never_retrained_model_gets_the_same_queries(record):
    first, _, third = (day["quality"] for day in record["days"])
    assert first["never_retrained"] == first["retrained"]
    assert [day["oldest"] for day in record["days"]] == [None, 1, 1]
    assert third["never_retrained"] != third["retrained"]
    for day in record["days"][1:]:
        retrained, never_retrained = (
            day["quality"][name] for name in ("retrained", "never_retrained")
        )
        for metric, result in day["difference"].items():
            assert result["value"] == pytest.approx(retrained[metric] - never_retrained[metric])
    assert record["overall"]["days"] == 2


def test_the_report_has_curves(record, killed):
    page = (killed / "backfill.html").read_text()
    assert page.count("<svg") == 4
    assert all(day in page for day in DAYS)
    assert list((killed / "tensorboard" / "quality" / "never_retrained").glob("*.step-3"))
