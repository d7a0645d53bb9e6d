"""A server over a bucket serves complete versions and never partial ones."""

import threading
import time

import numpy as np
import pytest

from schema.errors import NoRunError
from schema.storage import object_store
from serving.client.client import Client
from serving.server.app import run_server
from serving.versions.local import LocalVersionStore
from serving.versions.mirror import mirror_serving_dir, update_mirror
from serving.versions.remote import RemoteVersionStore

INPUTS = {
    "user_id": np.array([b"ann"], object),
    "x": np.array([[1.0, 2.0]], np.float32),
    "k": np.array([1], np.int64),
}


@pytest.fixture
def push(bucket, greeters):
    def push_version(version: int) -> None:
        models = {"greeter": greeters[version]}
        final = RemoteVersionStore(f"{bucket}/serving").push(models)
        assert final["greeter"].endswith(f"/{version}")

    return push_version


def test_a_server_over_a_bucket_serves_a_push_once_it_is_complete(bucket, push, monkeypatch):
    push(1)
    reached, released = threading.Event(), threading.Event()
    store = object_store._store

    def store_when_released(path, uri):
        if uri.endswith("saved_model.pb"):
            reached.set()
            assert released.wait(60)
        store(path, uri)

    monkeypatch.setattr(object_store, "_store", store_when_released)
    with (
        mirror_serving_dir(f"{bucket}/serving", poll_s=0.1) as folder,
        run_server(folder) as server,
        Client(server.grpc_address, 30) as client,
    ):
        pushing = threading.Thread(target=push, args=(2,))
        pushing.start()
        assert reached.wait(60)
        assert "greeter/2/variables/variables.index" in object_store.list_files(f"{bucket}/serving")
        time.sleep(2.5)  # about twenty polls of the bucket, two of the folder
        assert LocalVersionStore(folder).list_versions("greeter") == [1]
        assert client.predict("greeter", INPUTS)["greeting"][0] == b"v1:ann"
        released.set()
        pushing.join()
        deadline = time.monotonic() + 30
        while client.predict("greeter", INPUTS)["greeting"][0] != b"v2:ann":
            assert time.monotonic() < deadline
            time.sleep(0.1)
    assert not folder.exists()


def test_the_last_two_versions_are_kept(bucket, push, tmp_path, greeters, monkeypatch):
    for version in (1, 2):
        push(version)
        update_mirror(f"{bucket}/serving", tmp_path)
    monkeypatch.setitem(greeters, 3, greeters[1])  # restored: other tests share it
    push(3)
    update_mirror(f"{bucket}/serving", tmp_path)
    assert LocalVersionStore(tmp_path).list_versions("greeter") == [2, 3]


def test_an_interrupted_copy_is_made_again(bucket, push, tmp_path):
    push(1)
    interrupted = tmp_path / "greeter" / ".tmp-1"
    interrupted.mkdir(parents=True)
    (interrupted / "stale").touch()
    update_mirror(f"{bucket}/serving", tmp_path)
    names = {path.name for path in (tmp_path / "greeter" / "1").iterdir()}
    assert "saved_model.pb" in names
    assert "stale" not in names


def test_the_error_for_an_empty_store_names_the_url(bucket):
    with (
        pytest.raises(NoRunError, match=f"pushed models in {bucket}/serving, found none"),
        mirror_serving_dir(f"{bucket}/serving"),
    ):
        pass


def test_an_incomplete_version_is_named_once(bucket, push, tmp_path, caplog):
    push(1)
    object_store.upload_file(
        _file(tmp_path), f"{bucket}/serving/greeter/2/variables/variables.index"
    )
    named = set()
    for _ in range(3):
        update_mirror(f"{bucket}/serving", tmp_path / "mirror", named)
    (line,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert "/serving/greeter/2 is skipped: it has no saved_model.pb" in line
    assert LocalVersionStore(tmp_path / "mirror").list_versions("greeter") == [1]


def _file(folder):
    path = folder / "index"
    path.write_bytes(b"x")
    return path
