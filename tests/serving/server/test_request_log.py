"""The log of items shown to each user: its lines, and ingestion that reads them."""

import json
import time
import urllib.request
import uuid

import numpy as np
import pyarrow as pa
import pytest

from components.ingest import refresh
from schema.dataset import Dataset
from schema.user_ids import hash_user_id
from serving.client.client import Client
from serving.server import request_log
from serving.server.app import run_server
from serving.server.options import ServerOptions
from serving.server.request_log import RequestLog
from tests.serving.planted_servables import IDS, push_servables

COUNTED = ":tandem:serving:request_log_entries"
KEY = b"0123456789abcdef"
INPUTS = {
    "user_id": np.array([b"ann", b"new"], object),
    "history_item_ids": np.array([[b"a"], [b""]], object),
    "history_timestamps": np.array([[1_700_000_000], [0]]),
    "excluded_item_ids": np.array([[b"b"]], object),
    "context_device": np.array([b"web"], object),
    "now": np.array([1_700_000_500]),
    "k": np.array([2, 1], np.int32),
}


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    return push_servables(tmp_path_factory.mktemp("logged"))


@pytest.fixture
def logged(models, tmp_path):
    """logged(send, **settings) -> records of the requests that `send(server, client)` makes."""

    def run(send, **settings):
        log = RequestLog(tmp_path / "log", **settings)
        options = ServerOptions(request_log=log)
        with run_server(models, options) as server, Client(server.grpc_address, 30) as client:
            send(server, client)
        files = sorted((tmp_path / "log").glob("*.jsonl"))
        return [json.loads(line) for path in files for line in path.read_text().splitlines()]

    return run


def post(server, body, **headers):
    url = f"{server.rest_url}/v1/models/retrieval:predict"
    request = urllib.request.Request(url, json.dumps(body).encode(), headers, method="POST")
    with urllib.request.urlopen(request, timeout=30) as answer:
        answer.read()
        return answer.headers


def test_each_item_that_was_shown_is_a_record(logged):
    """For ann (5, 4, 3 for a, b, c) c is left, then é and d at 0; ranking puts the last first."""
    first, *others = records = logged(lambda _, client: client.predict("recommender", INPUTS))
    assert len({record["request_id"] for record in records}) == 1
    assert len(first.pop("request_id")) == 32
    assert first == {
        "model": "recommender",
        "version": 1,
        "row": 0,
        "user_id": "ann",
        "timestamp": 1_700_000_500,
        "context_device": "web",
        "k": 2,
        "history": ["a"],
        "history_timestamps": [1_700_000_000],
        "excluded": ["b"],
        "item_id": "é",
        "position": 1,
        "score": 5.0,
        "stage": "ranking",
    }
    assert [(r["row"], r["user_id"], r["item_id"], r["position"]) for r in others] == [
        (0, "ann", "d", 2),
        (1, "new", "é", 1),
    ]
    assert others[1]["history"] == []


def test_rest_is_logged_too_and_the_callers_id_comes_back(logged):
    headers = {}

    def send(server, _):
        headers["accepted"] = post(server, {"inputs": {"k": [1]}}, **{"X-Request-Id": "call-7"})
        headers["replaced"] = post(server, {"inputs": {"k": [1]}}, **{"X-Request-Id": "not one id"})

    begin = int(time.time())
    one, other = logged(send)
    assert one["request_id"] == headers["accepted"]["x-request-id"] == "call-7"
    assert other["request_id"] == headers["replaced"]["x-request-id"] != "not one id"
    assert begin <= one["timestamp"] <= time.time()
    assert (one["model"], one["stage"], one["item_id"]) == ("retrieval", "retrieval", "é")


def test_written_entries_are_counted(logged):
    """Two rows of one answer count as one entry."""
    pages = []

    def send(server, client):
        client.predict("retrieval", INPUTS)
        url = f"{server.rest_url}/monitoring/prometheus/metrics"
        while not pages or f'{COUNTED}{{state="written"}} 1.0' not in pages[-1]:
            with urllib.request.urlopen(url, timeout=30) as answer:
                pages.append(answer.read().decode())

    logged(send)
    assert f'{COUNTED}{{state="lost"}} 0.0' in pages[-1]


def test_ranking_requests_are_not_logged(logged):
    def send(_, client):
        client.predict("ranking", {"candidate_item_ids": np.array([[b"a"]], object)})

    assert logged(send) == []


def test_only_pseudonyms_of_users_are_logged(logged, tmp_path):
    """An id that already is a pseudonym is unchanged, one that only looks like it is hashed; an
    empty id stays empty.
    """
    raw = ["ann", "900150983cd24fb0d6963f7d28e17f72", uuid.uuid4().hex, "1234567"]
    names = [hash_user_id(user_id, KEY) for user_id in raw]
    users = [*raw, names[0], ""]
    inputs = {"user_id": np.array([user_id.encode() for user_id in users], object)}
    records = logged(lambda _, client: client.predict("retrieval", inputs), key=KEY)
    expected = dict(enumerate([*names, names[0], ""]))
    assert {record["row"]: record["user_id"] for record in records} == expected
    written = "".join(path.read_text() for path in (tmp_path / "log").iterdir())
    assert not [user_id for user_id in raw if f'"{user_id}"' in written]


def test_a_sampled_request_is_sampled_each_time(logged):
    def send(server, _):
        for number in list(range(40)) * 2:
            post(server, {"inputs": {"k": [1]}}, **{"X-Request-Id": f"call-{number}"})

    logged_ids = [record["request_id"] for record in logged(send, sample=0.5)]
    assert 2 * 8 <= len(logged_ids) <= 2 * 32
    assert all(logged_ids.count(name) == 2 for name in logged_ids)


def test_ingestion_reads_every_record(logged, tmp_path):
    shown = logged(lambda _, client: client.predict("recommender", INPUTS))
    described = Dataset.model_validate(
        {
            "data": {
                "interactions": {"path": "log/*.jsonl", "format": "jsonl"},
                "items": {"path": "items.jsonl", "format": "jsonl"},
            },
            "features": {"context": {"context_device": {"kind": "category"}}},
            "labels": {"positive": {"column": "position", "at_least": 1}},
        }
    )
    read = refresh.read_events(
        described, [f"{tmp_path}/log/*.jsonl"], str(tmp_path / "rejected"),
        pa.array([item.encode() for item in IDS], pa.large_binary()),
    )  # fmt: skip
    counted = read.counts.tables["interactions"]
    assert (counted.read, counted.accepted, counted.rejected) == (3, 3, 0)
    assert {(r["user_id"], r["item_id"], r["timestamp"]) for r in read.records.to_pylist()} == {
        (record["user_id"], record["item_id"], record["timestamp"]) for record in shown
    }


@pytest.mark.parametrize("request_id", [None, "", "two words", "x" * 129, "é", "tab\t"])
def test_an_invalid_request_id_is_replaced(request_id):
    chosen = request_log.choose_request_id(request_id)
    assert chosen != request_id
    assert len(chosen) == 32
    assert request_log.choose_request_id("a:1/2") == "a:1/2"


def test_an_answer_with_too_many_lines_is_counted_as_lost(logged, monkeypatch):
    """Each item's line repeats the history of 2000: 3 items make more than 6000 names."""
    monkeypatch.setattr(request_log, "_MOST_BYTES", 300_000)
    history = np.array([[b"unheard of"] * 2000], object)

    def send(server, client):
        for items in (1, 3):
            k = np.array([items], np.int32)
            client.predict("retrieval", {"history_item_ids": history, "k": k})
        written = ':tandem:serving:request_log_entries{state="written"} 1.0'
        lost = ':tandem:serving:request_log_entries{state="lost"} 1.0'
        url = f"{server.rest_url}/monitoring/prometheus/metrics"
        deadline = time.monotonic() + 30
        page = ""
        while written not in page or lost not in page:
            assert time.monotonic() < deadline, page
            with urllib.request.urlopen(url, timeout=30) as answer:
                page = answer.read().decode()

    assert len(logged(send)) == 1
