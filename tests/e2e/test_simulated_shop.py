"""The whole pipeline on a small simulated shop, as users run it: through the command line only."""

import getpass
import json
import os
import pathlib
import sqlite3
import subprocess
import sys

import numpy as np
import pytest

from pipeline.commands import batch
from serving.client.client import Client
from serving.client.messages import ListingQuery, build_listing_request
from serving.server.app import run_server

pytestmark = pytest.mark.e2e

CONFIG = pathlib.Path(__file__).resolve().parents[2] / "configs" / "simulated.toml"
USERS, ITEMS, EVENTS, MALFORMED = 400, 300, 9_000, 12
SMALL = [
    "--set", "retrieval.epochs=3", "--set", "ranking.epochs=2",
    "--set", "blessing.baselines=[{baseline='popular'}]",
]  # fmt: skip
"""Trained too little to be as good as `recent`."""
UNTRAINED = [
    "--set", "retrieval.epochs=1", "--set", "retrieval.learning_rate=1e-9",
    "--set", "retrieval.refit_epochs=0", "--set", "retrieval.popularity_prior=false",
    "--set", "ranking.epochs=1",
]  # fmt: skip
COMPLETE = 3  # ml_metadata's Execution.State


def tandem(*args: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Runs the command as a user types it, and requires its exit code."""
    completed = subprocess.run(
        [sys.executable, "-m", "pipeline.cli", *args],
        check=False,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONWARNINGS": "default"},
    )
    assert completed.returncode == code, completed.stdout[-3000:] + completed.stderr[-3000:]
    return completed


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    data = tmp_path_factory.mktemp("shop")
    tandem(
        "simulate", "--users", str(USERS), "--items", str(ITEMS), "--events", str(EVENTS),
        "--seed", "3", "--malformed", str(MALFORMED), "--out", str(data),
    )  # fmt: skip
    return data


@pytest.fixture(scope="module")
def root(shop, tmp_path_factory):
    root = tmp_path_factory.mktemp("run")
    tandem("run", "--config", str(CONFIG), "--data", str(shop), "--root", str(root), *SMALL)
    return root


@pytest.fixture(scope="module")
def first(root):
    """Summary of the first run."""
    return read_summary(root)


def read_summary(root):
    return json.loads((root / "summary.json").read_text())


def read_valid_events(shop):
    """The shop's log without its malformed lines, which lack a field or are truncated."""
    lines = (shop / "events.jsonl").read_text().splitlines()
    events = (json.loads(line) for line in lines if line.startswith("{") and line.endswith("}"))
    return [event for event in events if len(event) == 6 and isinstance(event["timestamp"], int)]


def count_executions(root):
    """The number of completed executions, without cached ones."""
    with sqlite3.connect(root / "metadata.sqlite") as metadata:
        return metadata.execute(
            "select count(*) from Execution where last_known_state = ?", (COMPLETE,)
        ).fetchone()[0]


def test_summary_accounts_for_every_record(root):
    rows = read_summary(root)["rows"]
    assert rows["read"] == EVENTS + MALFORMED
    assert rows["rejected"] == MALFORMED
    assert rows["accepted"] == EVENTS
    assert rows["train"] + rows["valid"] + rows["test"] == EVENTS
    assert rows["users"] == USERS
    assert rows["items"] == ITEMS


def test_dead_letters_keep_the_raw_text(root):
    letters = [
        json.loads(line)
        for file in (root / "rejected" / "interactions").glob("*.jsonl")
        for line in file.read_text().splitlines()
    ]
    assert len(letters) == MALFORMED
    assert all(letter["reason"] and letter["raw"] is not None for letter in letters)


def test_retrieval_beats_popularity_and_stays_below_the_ceiling(root, shop):
    summary, truth = read_summary(root), json.loads((shop / "truth.json").read_text())
    result = summary["retrieval"]
    popular = result["baselines"]["popular"]["ndcg@10"]
    assert popular == pytest.approx(truth["popular"]["ndcg@10"], abs=1e-3)
    assert popular < result["ndcg@10"] < truth["ceiling"]["ndcg@10"] * 1.1


def test_pushed_servables_return_new_items_to_a_stock_client(root, shop):
    events = read_valid_events(shop)
    user = events[0]["user_id"]
    answer = json.loads(
        tandem("recommend", "--root", str(root), "--user", user, "--k", "20", "--json").stdout
    )
    ids = [item["item_id"] for item in answer["recommendations"]]
    interacted = {event["item_id"] for event in events if event["user_id"] == user}
    assert len(set(ids)) == 20
    assert not set(ids) & interacted
    assert answer["known_user"]


@pytest.fixture(scope="module")
def scorer(shared_data):
    """An independent script that scores lists, if it exists."""
    script = shared_data.parent / "referee" / "score.py"
    if not script.is_file():
        pytest.skip(f"needs the independent scorer: no file {script}")
    return script


@pytest.fixture(scope="module")
def split(shop, tmp_path_factory):
    """The shop's log as `scorer` reads it, split by time."""
    folder = tmp_path_factory.mktemp("split")
    events = sorted(read_valid_events(shop), key=lambda event: event["timestamp"])
    cut = events[len(events) * 9 // 10]["timestamp"]
    items = [json.loads(line) for line in (shop / "items.jsonl").read_text().splitlines()]
    parts = {
        "train": [event for event in events if event["timestamp"] < cut],
        "valid": [],
        "test": [event for event in events if event["timestamp"] >= cut],
        "items": items,
    }
    for name, rows in parts.items():
        (folder / f"{name}.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return folder


@pytest.mark.parametrize("stage", ["retrieval", "final"])
def test_the_scorer_gives_bulk_lists_the_same_metrics_as_the_evaluator(
    root, split, scorer, tmp_path, stage
):
    out = tmp_path / "lists.jsonl"
    arguments = ("--users", "all", "--as-of", "test", "--stage", stage, "--out", str(out))
    tandem("batch", "--root", str(root), *arguments)
    scored = subprocess.run(
        [sys.executable, str(scorer), "score", "--split", split, "--lists", out, "--json"],
        check=True,
        capture_output=True,
    )
    expected, summary = json.loads(scored.stdout), read_summary(root)
    result = summary["retrieval"] if stage == "retrieval" else summary["ranking"]["reranked"]
    assert summary["retrieval"]["users"] == expected["all"]["users"]
    for name in ("recall@10", "ndcg@10", "recall@100"):
        assert result[name] == pytest.approx(expected["all"][name], abs=1e-4)
    assert result["coverage@10"] == pytest.approx(expected["coverage@10"], abs=1e-4)


def test_bulk_lists_equal_the_servers_answers(root, shop, tmp_path):
    events = read_valid_events(shop)
    regions = {
        user["user_id"]: user["region"]
        for user in map(json.loads, (shop / "users.jsonl").read_text().splitlines())
    }
    users, now = [*sorted({event["user_id"] for event in events})[:20], "nobody"], 1_720_000_000
    (tmp_path / "users").write_text("\n".join(users))
    request = batch.BatchRequest(str(tmp_path / "users"), 10, None, False)
    batch.write_lists(str(root), request, tmp_path / "lists", now)
    lists = map(json.loads, (tmp_path / "lists").read_text().splitlines())
    with run_server(root / "serving") as server, Client(server.grpc_address, 60) as client:
        declared = client.inputs("recommender")
        for user, row in zip(users, lists, strict=True):
            own = [event for event in events if event["user_id"] == user]
            history = sorted((event["timestamp"], event["item_id"]) for event in own)
            request = build_listing_request(
                declared,
                ListingQuery(
                    user,
                    [(item, moment) for moment, item in history],
                    now,
                    10,
                    features={"user_region": regions.get(user)},
                ),
            )
            answer = client.predict("recommender", request)["item_ids"][0]
            assert row == {"user_id": user, "item_ids": [item.decode() for item in answer]}


def test_an_unknown_user_gets_a_real_answer_marked_as_new(root):
    answer = json.loads(
        tandem("recommend", "--root", str(root), "--user", "nobody", "--json").stdout
    )
    assert not answer["known_user"]
    assert answer["history"] == []
    assert len(answer["recommendations"]) == 10


def test_context_changes_the_scores_of_a_new_user(root):
    with run_server(root / "serving") as server, Client(server.grpc_address, 60) as client:
        declared = client.inputs("retrieval")
        scores = [
            client.predict(
                "retrieval",
                build_listing_request(
                    declared,
                    ListingQuery("", [], 1_700_000_000, features={"context_device": device}),
                ),
            )["scores"]
            for device in ("desktop", "phone")
        ]
    assert not np.allclose(scores[0], scores[1])


def read_catalogue(shop):
    lines = (shop / "items.jsonl").read_text().splitlines()
    return {item["item_id"]: item for item in map(json.loads, lines)}


def list_recommended_items(root, out):
    """All items that are in some user's list of the whole catalogue."""
    tandem(
        "batch", "--root", str(root), "--users", "all", "--k", str(ITEMS), "--out", str(out)
    )  # fmt: skip
    return {item for line in out.read_text().splitlines() for item in json.loads(line)["item_ids"]}


def test_items_out_of_stock_are_in_no_list(root, shop, tmp_path):
    in_stock = {item for item, row in read_catalogue(shop).items() if row["in_stock"]}
    assert 0 < len(in_stock) < ITEMS
    assert list_recommended_items(root, tmp_path / "lists") == in_stock
    assert read_summary(root)["index"]["items"] == len(in_stock)


def test_a_category_filter_returns_only_items_of_the_categories(root, shop):
    categories = {"Music", "Shoes"}
    arguments = (
        "--user",
        "nobody",
        "--k",
        str(ITEMS),
        "--category",
        "Music",
        "--category",
        "Shoes",
    )
    answer = json.loads(tandem("recommend", "--root", str(root), *arguments, "--json").stdout)
    expected = {
        item
        for item, row in read_catalogue(shop).items()
        if row["category"] in categories and row["in_stock"]
    }
    assert {row["item_id"] for row in answer["recommendations"]} == expected
    nothing = tandem("recommend", "--root", str(root), "--user", "x", "--category", "y", "--json")
    assert json.loads(nothing.stdout)["recommendations"] == []


@pytest.mark.usefixtures("first")
def test_a_second_run_executes_nothing_and_reports_it(root, shop):
    before = count_executions(root)
    run = ("run", "--config", str(CONFIG), "--data", str(shop), "--root", str(root), *SMALL)
    first = read_summary(root)
    output = tandem(*run).stdout
    assert count_executions(root) == before
    assert "no component was executed" in output
    assert all(stage["cached"] for stage in read_summary(root)["stages"])
    assert read_summary(root)["retrieval"] == first["retrieval"]


@pytest.fixture(scope="module")
def changed(root, shop, first):
    """Summary of a second run, with another ranking model."""
    assert first["servables"]["recommender"]["version"] == 1
    completed = tandem(
        "run", "--config", str(CONFIG), "--data", str(shop), "--root", str(root), *SMALL,
        "--set", "ranking.cross_layers=1", "--json",
    )  # fmt: skip
    return json.loads(completed.stdout)


def test_a_changed_ranking_parameter_executes_only_what_depends_on_it(changed):
    executed = {stage["name"] for stage in changed["stages"] if not stage["cached"]}
    assert executed == {
        "RankingTrainer", "RankingAnalysis", "Evaluator", "Recommender", "InfraCheck", "Pusher",
    }  # fmt: skip
    assert changed["servables"]["recommender"]["version"] == 2


@pytest.mark.usefixtures("changed")
def test_a_deny_list_rebuilds_the_index_and_trains_nothing(root, shop, tmp_path):
    (tmp_path / "denied").write_text("i1\ni2\nnothing\n")
    completed = tandem(
        "run", "--config", str(CONFIG), "--data", str(shop), "--root", str(root), *SMALL,
        "--set", "ranking.cross_layers=1", "--set", f"index.deny_list={tmp_path / 'denied'}",
    )  # fmt: skip
    assert "3 ids are denied, of which the catalogue lacks 1" in " ".join(completed.stdout.split())
    executed = {stage["name"] for stage in read_summary(root)["stages"] if not stage["cached"]}
    assert executed >= {"Indexer", "Recommender", "Pusher"}
    assert not executed & {"RetrievalTrainer", "RankingTrainer"}
    in_stock = {item for item, row in read_catalogue(shop).items() if row["in_stock"]}
    assert list_recommended_items(root, tmp_path / "lists") == in_stock - {"i1", "i2"}


def test_tfma_and_the_evaluator_agree(root):
    """The rating's error on the same test events, computed by independent code from the same
    predictions.
    """
    import tensorflow_model_analysis as tfma

    summary = read_summary(root)
    analysis, rating = summary["analysis"], summary["ranking"]["labels"]["rating"]
    overall = analysis["slices"]["Overall"]
    assert overall["rating/example_count"] == rating["events"]
    assert overall["rating/root_mean_squared_error"] == pytest.approx(rating["rmse"], rel=1e-4)
    assert 0.5 < overall["relevance/auc"] < 1
    assert {"history:warm users", "user_region:north"} <= set(analysis["slices"])
    result = tfma.load_eval_result(analysis["artifact"])
    assert len(result.slicing_metrics) == len(analysis["slices"])


def test_tensorboard_has_scalars_and_graphs_of_both_trainers(root):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    for stage in ("retrieval", "ranking"):
        log = EventAccumulator(str(root / "tensorboard" / stage / "train"))
        log.Reload()
        assert log.Tags()["graph"]
        assert "epoch_loss" in log.Tags()["tensors"]


def list_pushed_versions(root):
    return sorted(int(path.name) for path in (root / "serving" / "recommender").iterdir())


def test_the_pushed_version_has_the_same_metrics_when_evaluated_again(changed, first):
    """The same data and queries: now from the serving folder and raw histories, before from
    artifacts and transformed histories.
    """
    again = changed["verdict"]["pushed_before"]
    assert again["version"] == 1
    for name in ("recall@10", "ndcg@10", "recall@100", "mrr@10"):
        assert again[name] == pytest.approx(first["ranking"][name], abs=1e-6)


@pytest.fixture(scope="module")
def refused(root, shop):
    """A run with an untrained retrieval model, after one that was pushed."""
    before = list_pushed_versions(root)
    run = ("run", "--config", str(CONFIG), "--data", str(shop), "--root", str(root), *SMALL)
    completed = tandem(*run, *UNTRAINED, code=4)
    assert list_pushed_versions(root) == before
    return completed


def test_a_run_worse_than_the_pushed_one_pushes_nothing_with_a_reason(root, refused):
    summary = read_summary(root)
    assert summary["servables"] == {}
    assert len(summary["examples"]) == 10  # by the refused models
    verdict = summary["verdict"]
    assert not verdict["blessed"]
    assert verdict["forced"] is None
    assert verdict["pushed_before"]["version"] == list_pushed_versions(root)[-1]
    failed = [rule for rule in verdict["rules"] if not rule["passed"]]
    assert "pushed" in {rule["against"] for rule in failed}
    for rule in failed:
        assert rule["received"] < rule["expected"]
        assert rule["high"] < 0
        assert rule["failure"] in refused.stderr
    assert (root / "report.html").stat().st_mtime >= (root / "summary.json").stat().st_mtime


@pytest.mark.usefixtures("refused")
def test_a_refused_model_is_pushed_with_a_reason(root, shop):
    before, executed = list_pushed_versions(root), count_executions(root)
    run = ("run", "--config", str(CONFIG), "--data", str(shop), "--root", str(root), *SMALL)
    tandem(*run, *UNTRAINED, "--force-push", "a demonstration")
    assert count_executions(root) == executed + 1  # the Pusher
    version = before[-1] + 1
    assert list_pushed_versions(root) == [*before, version]
    summary = read_summary(root)
    assert summary["servables"]["recommender"]["version"] == version
    forced = summary["verdict"]["forced"]
    assert forced["who"] == getpass.getuser()
    assert forced["why"] == "a demonstration"
    folder = root / "serving" / "recommender" / str(version) / "assets.extra"
    assert json.loads((folder / "origin.json").read_text())["forced"] == forced


@pytest.mark.parametrize("kind", ["ivf", "scann"])
def test_each_approximate_index_is_tuned_and_served(root, shop, kind):
    """The index reaches the target on the items in stock, and no model is trained again."""
    run = ("run", "--config", str(CONFIG), "--data", str(shop), "--root", str(root), *SMALL)
    tandem(*run, "--set", f"index.kind={kind}", "--force-push", "to test its index")
    summary = read_summary(root)
    index = summary["index"]
    in_stock = [row for row in read_catalogue(shop).values() if row["in_stock"]]
    assert (index["kind"], index["items"]) == (kind, len(in_stock))
    assert index["ann_recall@100"] >= 0.95
    assert index["frontier"]
    assert index["parameters"]["probes"] <= index["parameters"]["leaves"]
    executed = {stage["name"] for stage in summary["stages"] if not stage["cached"]}
    assert "Indexer" in executed
    assert "RetrievalTrainer" not in executed
    answer = json.loads(
        tandem("recommend", "--root", str(root), "--user", "nobody", "--k", "5", "--json").stdout
    )
    assert len({item["item_id"] for item in answer["recommendations"]}) == 5
