"""A grocer whose customers buy one favourite every week, with each value of `recommend.repeats`."""

import json
import subprocess
import sys

import numpy as np
import pytest

from serving.client.client import Client
from serving.client.messages import ListingQuery, build_listing_request
from serving.server.app import run_server

pytestmark = pytest.mark.e2e

USERS, ITEMS, WEEKS, DAY, K = 60, 40, 12, 86_400, 10
START = 1_704_067_200
CONFIG = """
name = "grocer"
[data.interactions]
path = "events.jsonl"
format = "jsonl"
[data.items]
path = "items.jsonl"
format = "jsonl"
[retrieval]
epochs = 6
embedding_dim = 16
[ranking]
epochs = 2
[blessing]
baselines = []
pushed = []
"""


def _favourite(user):
    """Spread over the catalogue, so that no favourite is popular."""
    return f"i{user % ITEMS}"


def _events():
    rng = np.random.default_rng(7)
    for user in range(USERS):
        for week in range(WEEKS):
            begin = START + week * 7 * DAY + int(rng.integers(0, DAY))
            items = [_favourite(user), *(f"i{n}" for n in rng.integers(0, ITEMS, 2))]
            for place, item in enumerate(items):
                moment = begin + place * 3600
                yield {"user_id": f"u{user}", "item_id": item, "timestamp": moment}


EVENTS = list(_events())


def tandem(*args):
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.cli", *args], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done


@pytest.fixture(scope="module")
def grocer(tmp_path_factory):
    folder = tmp_path_factory.mktemp("grocer")
    items = [{"item_id": f"i{n}"} for n in range(ITEMS)]
    for name, rows in (("events", EVENTS), ("items", items)):
        text = "".join(f"{json.dumps(row)}\n" for row in rows)
        (folder / f"{name}.jsonl").write_text(text)
    (folder / "grocer.toml").write_text(CONFIG)
    (folder / "users").write_text("".join(f"u{n}\n" for n in range(USERS)) + "stranger\n")
    return folder


@pytest.fixture(scope="module")
def run(grocer, tmp_path_factory):
    """Runs the pipeline with a value of `repeats`, in the same root each time."""
    root = tmp_path_factory.mktemp("run")

    def call(repeats):
        config = ("--config", str(grocer / "grocer.toml"), "--root", str(root))
        tandem("run", *config, "--set", f"recommend.repeats={repeats}")
        return root, json.loads((root / "summary.json").read_text())

    return call


def _lists(root, grocer, *options):
    """Lists of all users and of a stranger, and the time that they are of."""
    out = root / "lists.jsonl"
    users = ("--users", str(grocer / "users"), "--k", str(K), "--out", str(out))
    report = json.loads(tandem("batch", "--root", str(root), *users, *options, "--json").stdout)
    rows = map(json.loads, out.read_text().splitlines())
    return {row["user_id"]: row["item_ids"] for row in rows}, report["now"]


def _served(root, user, now):
    """The list of a user who sends the whole history at the time `now`."""
    events = sorted(
        (event["timestamp"], event["item_id"]) for event in EVENTS if event["user_id"] == user
    )
    history = [(item, moment) for moment, item in events]
    with run_server(root / "serving") as server, Client(server.grpc_address, 60) as client:
        query = ListingQuery(user, history, now, K)
        request = build_listing_request(client.inputs("recommender"), query)
        found = client.predict("recommender", request)["item_ids"][0]
    return [item.decode() for item in found]


def _history_and_later(moment):
    """Items of each user before the moment, and those from it on."""
    history, later = {}, {}
    for event in EVENTS:
        part = history if event["timestamp"] < moment else later
        part.setdefault(event["user_id"], set()).add(event["item_id"])
    return history, later


def _ndcg(listed, relevant):
    gains = [1 / np.log2(place + 2) for place, item in enumerate(listed) if item in relevant]
    return sum(gains) / sum(1 / np.log2(place + 2) for place in range(min(K, len(relevant))))


def _mean_ndcg(lists, relevant):
    return np.mean([_ndcg(lists[user], items) for user, items in relevant.items() if items])


def _test_cut():
    """The time of the event at floor(n × 0.9) in order of time."""
    return sorted(event["timestamp"] for event in EVENTS)[len(EVENTS) * 9 // 10]


def test_each_kind_of_list_is_what_the_switch_says(grocer, run):
    """Measured by hand on the lists as of test, which are those that the Evaluator measured."""
    history, later = _history_and_later(_test_cut())
    relevant = {
        "exclude": {user: items - history[user] for user, items in later.items()},
        "allow": later,
        "only": {user: items & history[user] for user, items in later.items()},
    }
    lists, found = {}, {}
    for repeats in relevant:
        root, found[repeats] = run(repeats)
        lists[repeats], _ = _lists(root, grocer, "--as-of", "test")
        measured = found[repeats]["ranking"]["ndcg@10"]
        assert measured == pytest.approx(_mean_ndcg(lists[repeats], relevant[repeats]), abs=1e-6)
        assert ("personal_frequency" in found[repeats]["retrieval"]["baselines"]) == (
            repeats != "exclude"
        )
        current, now = _lists(root, grocer)
        assert [item for item in _served(root, "u3", now) if item] == current["u3"]
    for user, seen in history.items():
        assert not set(lists["exclude"][user]) & seen
        assert set(lists["only"][user]) <= seen
        assert len(lists["only"][user]) == min(K, len(seen))
    assert lists["only"]["stranger"] == []
    assert len(lists["allow"]["stranger"]) == K
    recommended = [_favourite(n) in lists["allow"][f"u{n}"][:3] for n in range(USERS)]
    assert np.mean(recommended) > 0.8
    assert _mean_ndcg(lists["allow"], later) > 2 * _mean_ndcg(lists["exclude"], later)
    stages = {stage["name"]: stage for stage in found["only"]["stages"]}
    assert stages["InteractionsGen"]["cached"]
    assert not stages["RetrievalTrainer"]["cached"]
