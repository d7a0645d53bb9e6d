"""The models of a shop are refreshed with new items and events, through the command line only."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

import numpy as np
import pytest
from ml_metadata import metadata_store
from ml_metadata.proto import metadata_store_pb2 as mlmd

from schema import candidates, signatures
from serving.client.client import Client
from serving.client.messages import ListingQuery, build_listing_request
from serving.server.app import run_server

pytestmark = pytest.mark.e2e

CONFIG = pathlib.Path(__file__).resolve().parents[2] / "configs" / "simulated.toml"
SHOP = ("--users", "300", "--items", "200", "--events", "6000", "--seed", "5")
SMALL = (
    "--set", "retrieval.epochs=2", "--set", "ranking.epochs=1",
    "--set", "blessing.baselines=[{baseline='popular'}]",
)  # fmt: skip
FANS = 40
NEW, TWIN, MOVED = "fresh", "i3", "i7"
"""NEW is a new item with the content of TWIN; MOVED is an old item that receives this content."""


def tandem(*args: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    completed = subprocess.run(
        [sys.executable, "-m", "pipeline.cli", *args],
        check=False,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONWARNINGS": "default"},
    )
    assert completed.returncode == code, completed.stdout[-3000:] + completed.stderr[-3000:]
    return completed


def to_json_lines(rows):
    return "".join(f"{json.dumps(row)}\n" for row in rows)


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    data = tmp_path_factory.mktemp("shop")
    tandem("simulate", *SHOP, "--out", str(data))
    return data


@pytest.fixture(scope="module")
def root(shop, tmp_path_factory):
    root = tmp_path_factory.mktemp("run")
    tandem("run", "--config", str(CONFIG), "--data", str(shop), "--root", str(root), *SMALL)
    return root


@pytest.fixture(scope="module")
def new_data(shop, tmp_path_factory):
    """Files of new items and of new events: FANS new users interact with the new item only."""
    folder = tmp_path_factory.mktemp("new_data")
    rows = map(json.loads, (shop / "items.jsonl").read_text().splitlines())
    items = {row["item_id"]: row for row in rows}
    changed = items[MOVED] | {name: items[TWIN][name] for name in ("title", "category", "tags")}
    (folder / "items.jsonl").write_text(to_json_lines([items[TWIN] | {"item_id": NEW}, changed]))
    events = [json.loads(line) for line in (shop / "events.jsonl").read_text().splitlines()]
    end = max(event["timestamp"] for event in events)
    interacted = [
        events[0] | {"user_id": f"fan{n}", "item_id": NEW, "timestamp": end + n}
        for n in range(FANS)
    ]
    (folder / "events.jsonl").write_text(to_json_lines([*events, *interacted]))
    return folder


def refresh_arguments(root, new_data):
    files = ("--items", str(new_data / "items.jsonl"), "--events", str(new_data / "events.jsonl"))
    return ("refresh", "--root", str(root), *files)


@pytest.fixture(scope="module")
def refreshed(root, new_data):
    """The report of the first refresh, which is its whole output."""
    return json.loads(tandem(*refresh_arguments(root, new_data), "--json").stdout)


@pytest.fixture(scope="module")
def client(root, refreshed):
    assert refreshed["version"] == 2
    with run_server(root / "serving") as server, Client(server.grpc_address, 60) as connected:
        yield connected


def list_versions(root):
    return sorted(int(path.name) for path in (root / "serving" / "recommender").iterdir())


def load_candidates(root, version):
    extra = root / "serving" / "recommender" / str(version) / "assets.extra"
    return candidates.load(str(extra / "candidates"))


def test_a_refresh_reports_its_changes(refreshed):
    assert refreshed["refreshed_from"] == 1
    assert refreshed["items"] == {"added": 1, "changed": 1, "total": 201}
    assert refreshed["popularity"]["new_events"] == FANS
    assert refreshed["index"]["ann_recall@100"] == 1.0
    assert refreshed["rows"]["items"]["accepted"] == 2
    assert refreshed["rows"]["interactions"]["accepted"] == 6000 + FANS


@pytest.mark.usefixtures("refreshed")
def test_items_with_equal_content_are_close_and_the_others_are_unchanged(root):
    before, after = load_candidates(root, 1), load_candidates(root, 2)
    ids = [item.decode() for item in after.item_ids.to_pylist()]
    assert [item.decode() for item in before.item_ids.to_pylist()] == ids[:-1]
    position = {item: index for index, item in enumerate(ids)}
    old, new = before.vectors[:, :-1], after.vectors[:, :-1]
    others = [index for item, index in position.items() if item not in (NEW, MOVED)]
    np.testing.assert_array_equal(new[others], old[others])
    np.testing.assert_allclose(np.linalg.norm(new[position[NEW]]), 1, atol=1e-4)
    assert np.abs(new[position[MOVED]] - old[position[MOVED]]).max() > 1e-3
    similarities = new[others] @ new[position[NEW]]
    assert np.mean(similarities < new[position[TWIN]] @ new[position[NEW]]) > 0.8


def recommend(client, history=()):
    request = build_listing_request(
        client.inputs("recommender"), ListingQuery("somebody new", list(history), 1_720_000_000, 20)
    )
    return [item.decode() for item in client.predict("recommender", request)["item_ids"][0]]


def test_a_new_popular_item_is_recommended_immediately(client):
    assert NEW in recommend(client)[:5]


def test_a_new_item_in_a_history_is_known(client):
    """It is not recommended again, and changes the list of other items."""
    response = recommend(client, [(NEW, 1_719_999_000)])
    assert NEW not in response
    assert response != [item for item in recommend(client) if item != NEW][: len(response)]


def test_ranking_scores_a_new_item(client):
    declared = client.inputs("ranking")
    request = build_listing_request(declared, ListingQuery("somebody new", [], 1_720_000_000, 2))
    request[signatures.CANDIDATE_ITEM_IDS] = np.array([[NEW.encode(), TWIN.encode()]], object)
    scores = client.predict("ranking", request)
    assert all(np.isfinite(head).all() and head.shape == (1, 2) for head in scores.values())


@pytest.mark.usefixtures("refreshed")
def test_the_metadata_store_has_the_version_that_was_refreshed(root):
    sqlite = mlmd.SqliteMetadataSourceConfig(filename_uri=str(root / "metadata.sqlite"))
    store = metadata_store.MetadataStore(mlmd.ConnectionConfig(sqlite=sqlite))
    execution = store.get_executions_by_type("tandem.Refresh")[0]
    events = {event.type: event for event in store.get_events_by_execution_ids([execution.id])}
    created, before = (
        store.get_artifacts_by_id([events[kind].artifact_id])[0]
        for kind in (mlmd.Event.OUTPUT, mlmd.Event.INPUT)
    )
    assert created.uri == str(root / "serving" / "retrieval" / "2")
    (pusher,) = store.get_executions_by_type("components.pusher.Pusher")
    events_of_pusher = store.get_events_by_execution_ids([pusher.id])
    assert before.id in [e.artifact_id for e in events_of_pusher if e.type == mlmd.Event.OUTPUT]


def test_a_second_refresh_adds_nothing(root, new_data, client):
    again = json.loads(tandem(*refresh_arguments(root, new_data), "--json").stdout)
    assert again["refreshed_from"] == again["version"] - 1
    assert again["items"] == {"added": 0, "changed": 2, "total": 201}
    assert again["popularity"]["new_events"] == 0
    before, after = load_candidates(root, 2), load_candidates(root, again["version"])
    np.testing.assert_allclose(after.vectors, before.vectors, atol=1e-6)


@pytest.mark.usefixtures("refreshed")
def test_the_next_run_is_compared_with_the_refreshed_version(root, shop):
    newest = list_versions(root)[-1]
    run = ("run", "--config", str(CONFIG), "--data", str(shop), "--root", str(root), *SMALL)
    tandem(*run, "--set", "ranking.learning_rate=0.0011", "--force-push", "another rate")
    before = json.loads((root / "summary.json").read_text())["verdict"]["pushed_before"]
    assert before["version"] == newest
    assert "failure" not in before


@pytest.fixture(scope="module")
def root_copy(root, refreshed, tmp_path_factory):
    """A copy of the files that a refresh reads, for a test to corrupt."""
    copy = tmp_path_factory.mktemp("copy") / "root"
    copy.mkdir()
    shutil.copytree(root / "serving", copy / "serving")
    for name in ("summary.json", "metadata.sqlite"):
        shutil.copyfile(root / name, copy / name)
    return copy


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        (None, 2, "found nothing at"),
        ("", 3, "empty"),
        ('{"item_id": "x"}\n', 2, "expects column"),
        ("nonsense\n" * 3, 2, "expected one JSON object per line, received other text"),
    ],
)
def test_an_invalid_catalogue_is_refused_and_nothing_is_pushed(
    root_copy, tmp_path, text, code, message
):
    path, before = tmp_path / "items.jsonl", list_versions(root_copy)
    if text is not None:
        path.write_text(text)
    completed = tandem("refresh", "--root", str(root_copy), "--items", str(path), code=code)
    assert message in completed.stderr
    assert list_versions(root_copy) == before


def test_an_index_below_its_target_is_not_pushed(root_copy, new_data):
    """With one byte per value, the nearest hundred cannot all be separated from the others."""
    summary, before = json.loads((root_copy / "summary.json").read_text()), list_versions(root_copy)
    index_config = summary["config"]["index"] | {
        "kind": "ivf", "codes": "int8", "target_ann_recall": 1.0, "tuning_seconds": 0.1,
    }  # fmt: skip
    summary["config"]["index"] = index_config
    (root_copy / "summary.json").write_text(json.dumps(summary))
    completed = tandem(*refresh_arguments(root_copy, new_data), code=4)
    assert "ANN recall@100" in completed.stderr
    assert list_versions(root_copy) == before


def test_a_version_of_an_older_tandem_is_named(root_copy, new_data):
    newest = list_versions(root_copy)[-1]
    extra = root_copy / "serving" / "recommender" / str(newest) / "assets.extra"
    (extra / "candidates" / "popularity_forecast.json").unlink()
    completed = tandem(*refresh_arguments(root_copy, new_data), code=2)
    assert "older Tandem" in completed.stderr
    shutil.rmtree(root_copy / "serving")
    completed = tandem(*refresh_arguments(root_copy, new_data), code=2)
    assert "expected a pushed version" in completed.stderr
