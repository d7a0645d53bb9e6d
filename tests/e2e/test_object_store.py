"""The whole way with logs, artifacts, metadata and pushed models on an S3 server, and nothing kept
on this machine.
"""

import contextlib
import json
import pathlib
import re
import subprocess
import sys

import pytest

from schema.signatures import SERVABLES
from schema.storage import object_store

pytestmark = pytest.mark.e2e

CONFIG = pathlib.Path(__file__).resolve().parents[2] / "configs" / "simulated.toml"
MALFORMED = 5
SMALL = ["--set", "retrieval.epochs=2", "--set", "ranking.epochs=1"]


def tandem(*args: str) -> str:
    command = [sys.executable, "-m", "pipeline.cli", *args]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@contextlib.contextmanager
def serving(root: str):
    """`tandem serve` in a process of its own; gives its gRPC address."""
    ports = ("--grpc-port", "0", "--rest-port", "0")
    command = [sys.executable, "-m", "pipeline.cli", "serve", "--root", root, *ports]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        positions = re.search(r"gRPC (\S+),", server.stdout.readline())
        assert positions, "the server says where it listens"
        yield positions[1]
        server.terminate()
        assert server.wait(60) == 0


def sound_events(shop: pathlib.Path) -> list[dict]:
    """The log without its malformed lines, which are short of a field or of their end."""
    lines = (shop / "events.jsonl").read_text().splitlines()
    whole = (json.loads(line) for line in lines if line.startswith("{") and line.endswith("}"))
    return [event for event in whole if len(event) == 6 and isinstance(event["timestamp"], int)]


def test_the_simulated_shop_on_a_bucket(bucket, tmp_path):
    shop, root = tmp_path / "shop", f"{bucket}/runs/shop"
    tandem(
        "simulate", "--users", "300", "--items", "200", "--events", "6000", "--seed", "3",
        "--malformed", str(MALFORMED), "--out", str(shop),
    )  # fmt: skip
    object_store.upload(shop, f"{bucket}/logs")
    run = ("run", "--config", str(CONFIG), "--data", f"{bucket}/logs", "--root", root, *SMALL)
    first = json.loads(tandem(*run, "--json"))

    assert first["rows"]["rejected"] == MALFORMED
    assert all(uri.startswith(f"{root}/artifacts/") for uri in first["artifacts"].values())
    pushed = {f"{name}/1/saved_model.pb" for name in SERVABLES}
    assert pushed <= set(object_store.list_files(f"{root}/serving"))
    (letters,) = object_store.list_files(f"{root}/rejected/interactions")
    content = object_store.read(f"{root}/rejected/interactions/{letters}")
    assert len(content.splitlines()) == MALFORMED
    assert {"retrieval", "ranking", "quality"} <= set(
        object_store.list_folders(f"{root}/tensorboard")
    )
    assert object_store.list_files(f"{root}/checkpoints") == []  # both trainings have ended
    assert b"</html>" in object_store.read(f"{root}/report.html")

    events = sound_events(shop)
    user = events[0]["user_id"]
    with serving(root) as address:
        arguments = ("recommend", "--root", root, "--user", user, "--server", address, "--json")
        answer = json.loads(tandem(*arguments))
    ids = [row["item_id"] for row in answer["recommendations"]]
    assert len(set(ids)) == 10
    assert not set(ids) & {event["item_id"] for event in events if event["user_id"] == user}

    again = json.loads(tandem(*run, "--json"))
    assert [stage["name"] for stage in again["stages"] if not stage["cached"]] == []
    assert again["retrieval"] == first["retrieval"]
    assert not [name for name in object_store.list_files(f"{root}/serving") if "/2/" in name]
