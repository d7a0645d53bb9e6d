"""A grocer whose customers buy one favourite every week, with each value of `recommend.repeats`."""

import itertools
import json

import numpy as np
import pytest

from schema import candidates
from serving.client.client import Client
from serving.client.messages import ListingQuery, build_listing_request
from serving.server.app import run_server
from tests.e2e.command_line import tandem

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]

USERS, ITEMS, WEEKS, DAY, K = 240, 40, 12, 86_400, 10
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
epochs = 3
embedding_dim = 16
[ranking]
epochs = 30
learning_rate = 0.01
[blessing]
baselines = []
pushed = []
"""


def _favourite(user):
    """The user's favourite; favourites are spread over the catalogue, so that none is popular."""
    return f"i{user % ITEMS}"


def _events():
    rng = np.random.default_rng(7)
    for user in range(USERS):
        for week in range(WEEKS):
            begin = START + week * 7 * DAY + int(rng.integers(0, DAY))
            items = [_favourite(user), *(f"i{n}" for n in rng.integers(0, ITEMS, 2))]
            for position, item in enumerate(items):
                moment = begin + position * 3600
                yield {"user_id": f"u{user}", "item_id": item, "timestamp": moment}


EVENTS = list(_events())


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
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("run")


def _run(grocer, root, repeats):
    config = ("--config", str(grocer / "grocer.toml"), "--root", str(root))
    tandem("run", *config, "--set", f"recommend.repeats={repeats}")
    return json.loads((root / "summary.json").read_text())


def _lists(root, grocer, *options):
    """Lists of all users and of an unknown one, by user, and the time of the query."""
    out = root / "lists.jsonl"
    users = ("--users", str(grocer / "users"), "--k", str(K), "--out", str(out))
    report = json.loads(tandem("batch", "--root", str(root), *users, *options, "--json").stdout)
    rows = map(json.loads, out.read_text().splitlines())
    return {row["user_id"]: row["item_ids"] for row in rows}, report["now"]


def _query_server(root, user, now):
    """The served list of a user, requested with the whole history at the time `now`."""
    events = sorted(
        (event["timestamp"], event["item_id"]) for event in EVENTS if event["user_id"] == user
    )
    history = [(item, moment) for moment, item in events]
    with run_server(root / "serving") as server, Client(server.grpc_address, 60) as client:
        query = ListingQuery(user, history, now, K)
        request = build_listing_request(client.inputs("recommender"), query)
        item_ids = client.predict("recommender", request)["item_ids"][0]
    return [item.decode() for item in item_ids]


def _split_items(moment):
    """Items of each user before the moment, and from then on."""
    history, later = {}, {}
    for event in EVENTS:
        part = history if event["timestamp"] < moment else later
        part.setdefault(event["user_id"], set()).add(event["item_id"])
    return history, later


def _ndcg(listed, relevant):
    gains = [1 / np.log2(rank + 2) for rank, item in enumerate(listed) if item in relevant]
    return sum(gains) / sum(1 / np.log2(rank + 2) for rank in range(min(K, len(relevant))))


def _mean_ndcg(lists, relevant):
    return np.mean([_ndcg(lists[user], items) for user, items in relevant.items() if items])


def _test_cut():
    """The time of the event at floor(n × 0.9) in order of time."""
    return sorted(event["timestamp"] for event in EVENTS)[len(EVENTS) * 9 // 10]


def _assert_metric(summary, lists, relevant):
    """The metric computed here from the lists as of test equals the Evaluator's."""
    assert summary["ranking"]["ndcg@10"] == pytest.approx(_mean_ndcg(lists, relevant), abs=1e-6)
    assert "personal_frequency" in summary["retrieval"]["baselines"]


def _assert_served(root, grocer):
    """The served list of a user equals that of `tandem batch`."""
    current, now = _lists(root, grocer)
    assert [item for item in _query_server(root, "u3", now) if item] == current["u3"]


def _assert_three_models(folder):
    """Before valid, halfway through it and after it; the three have learned different things."""
    places = ("held_out_candidates/*", "held_out_candidates/*/halfway/candidates", "candidates/*")
    (held_out,), (halfway,), (served,) = (
        [candidates.load(str(path)).vectors[:, :-1] for path in folder.glob(place)]
        for place in places
    )
    assert held_out.shape == halfway.shape == served.shape
    for one, other in itertools.combinations((held_out, halfway, served), 2):
        assert np.abs(one - other).max() > 1e-3


def test_favourites_are_recommended_where_repeats_are_allowed(grocer, root):
    summary = _run(grocer, root, "allow")
    _, later = _split_items(_test_cut())
    lists, _ = _lists(root, grocer, "--as-of", "test")
    _assert_metric(summary, lists, later)
    popular = summary["retrieval"]["baselines"]["popular"]["ndcg@10"]
    assert summary["ranking"]["ndcg@10"] > 1.5 * popular
    held_out, served = (
        [path.read_bytes() for path in (root / "artifacts/RetrievalTrainer").glob(pattern)]
        for pattern in ("held_out_candidates/*/*forecast.json", "candidates/*/*forecast.json")
    )
    assert held_out == served  # ranking has learned with the former
    assert len(served) == 1
    _assert_three_models(root / "artifacts/RetrievalTrainer")
    assert len(lists["stranger"]) == K
    _assert_served(root, grocer)


def test_lists_hold_only_items_of_the_history(grocer, root):
    """Users with fewer than ten items have shorter lists; an unknown user has an empty one."""
    summary = _run(grocer, root, "only")
    history, later = _split_items(_test_cut())
    lists, _ = _lists(root, grocer, "--as-of", "test")
    relevant = {user: items & history[user] for user, items in later.items()}
    _assert_metric(summary, lists, relevant)
    for user, seen in history.items():
        assert set(lists[user]) <= seen
        assert len(lists[user]) == min(K, len(seen))
    assert lists["stranger"] == []
    stages = {stage["name"]: stage for stage in summary["stages"]}
    assert stages["InteractionsGen"]["cached"]
    assert not stages["RetrievalTrainer"]["cached"]
    _assert_served(root, grocer)
