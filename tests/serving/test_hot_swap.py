"""A running server while versions are pushed, corrupted or removed."""

import pathlib
import shutil
import threading
import time

import grpc
import numpy as np
import pytest
import tensorflow as tf

from schema.errors import TandemError
from serving.client.client import Client
from serving.server.app import run_server
from serving.server.model_config import WatchedModel
from serving.server.model_store import ModelStore
from serving.versions.local import LocalVersionStore

INPUTS = {
    "user_id": np.array(["ann"]),
    "x": np.array([[1, 0]], np.float32),
    "k": np.array([1], np.int64),
}


def query_version(client):
    """total = version * k * (1 + 0)."""
    return int(client.predict("greeter", INPUTS)["total"][0])


def wait_until(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "nothing changed in time"
        time.sleep(0.05)


def push_broken(serving_dir, greeter):
    """Pushes a version with truncated variables."""
    pushed = pathlib.Path(LocalVersionStore(serving_dir).push({"greeter": greeter})["greeter"])
    for data in (pushed / "variables").glob("*data*"):
        data.write_bytes(data.read_bytes()[:3])


def test_a_new_version_is_swapped_in_without_a_failed_request(serving_dir, greeters):
    answers, failures, stopped = [], [], threading.Event()

    def keep_sending(address):
        with Client(address) as client:
            while not stopped.is_set():
                try:
                    answers.append(query_version(client))
                except TandemError as error:
                    failures.append(error)

    with run_server(serving_dir) as server, Client(server.grpc_address) as client:
        threads = [
            threading.Thread(target=keep_sending, args=[server.grpc_address]) for _ in range(3)
        ]
        for thread in threads:
            thread.start()
        wait_until(lambda: len(answers) > 20)
        LocalVersionStore(serving_dir).push({"greeter": greeters[2]})
        wait_until(lambda: 2 in answers)
        before = len(answers)
        wait_until(lambda: len(answers) > before + 20)
        stopped.set()
        for thread in threads:
            thread.join()
        assert failures == []
        assert set(answers) == {1, 2}
        assert answers[-1] == 2
        states = [(entry.version, entry.state) for entry in client.status("greeter")]
        assert states == [(2, "AVAILABLE"), (1, "END")]
        with pytest.raises(TandemError, match=r"Specific\(greeter, 1\)"):
            client.predict("greeter", INPUTS, version=1)


def test_a_broken_version_is_refused_until_it_is_replaced(serving_dir, greeters, caplog):
    with run_server(serving_dir) as server, Client(server.grpc_address) as client:
        push_broken(serving_dir, greeters[2])
        wait_until(lambda: client.status("greeter")[0].state == "END")
        newest, older = client.status("greeter")
        assert (newest.version, older.version, older.state) == (2, 1, "AVAILABLE")
        assert newest.error_message != ""
        assert query_version(client) == 1
        time.sleep(2.5)  # two more polls of the folder
        logged = [record for record in caplog.records if "is rejected" in record.message]
        (line,) = [record.getMessage() for record in logged]
        assert line.startswith("greeter 2 does not load and is rejected: ")
        assert logged[0].exc_info is None
        shutil.rmtree(serving_dir / "greeter" / "2")
        LocalVersionStore(serving_dir).push({"greeter": greeters[2]})
        wait_until(lambda: query_version(client) == 2)


def test_a_version_without_one_of_its_files_is_not_found(serving_dir, tmp_path):
    vocabulary = tmp_path / "vocabulary.txt"
    vocabulary.write_text("ann")
    module = tf.Module()
    module.table = tf.lookup.StaticVocabularyTable(
        tf.lookup.TextFileInitializer(
            str(vocabulary),
            tf.string,
            tf.lookup.TextFileIndex.WHOLE_LINE,
            tf.int64,
            tf.lookup.TextFileIndex.LINE_NUMBER,
        ),
        1,
    )
    tf.saved_model.save(module, str(serving_dir / "greeter" / "2"))
    (serving_dir / "greeter" / "2" / "assets" / "vocabulary.txt").unlink()
    store = ModelStore(lambda: [WatchedModel("greeter", serving_dir / "greeter")])
    store.start()
    assert store.served.states("greeter")[2].code == grpc.StatusCode.NOT_FOUND
    assert store.served.available() == {"greeter": 1}


def test_a_start_with_a_broken_latest_version_serves_the_previous_one(serving_dir, greeters):
    push_broken(serving_dir, greeters[2])
    with run_server(serving_dir) as server, Client(server.grpc_address) as client:
        assert server.models == {"greeter": 1}
        assert query_version(client) == 1


def test_removing_the_latest_version_serves_the_previous_one(serving_dir, greeters):
    LocalVersionStore(serving_dir).push({"greeter": greeters[2]})
    with run_server(serving_dir) as server, Client(server.grpc_address) as client:
        assert query_version(client) == 2
        shutil.rmtree(serving_dir / "greeter" / "2")
        wait_until(lambda: query_version(client) == 1)


def test_a_model_whose_folder_disappears_keeps_serving(serving_dir):
    with run_server(serving_dir) as server, Client(server.grpc_address) as client:
        shutil.rmtree(serving_dir)
        time.sleep(2.5)
        assert query_version(client) == 1


def test_a_model_pushed_later_is_served_and_incomplete_copies_are_not(serving_dir, echo):
    with run_server(serving_dir) as server, Client(server.grpc_address) as client:
        assert server.models == {"greeter": 1}
        shutil.copytree(serving_dir / "greeter" / "1", serving_dir / "greeter" / ".tmp-9")
        LocalVersionStore(serving_dir).push({"echo": echo})

        def echo_serves():
            try:
                return client.status("echo")[0].state == "AVAILABLE"
            except TandemError:
                return False

        wait_until(echo_serves)
        answer = client.predict("echo", {"raw": np.array([b"\xff"], object)})
        assert answer["raw_bytes"].tolist() == [b"\xff"]
        assert [entry.version for entry in client.status("greeter")] == [1]
