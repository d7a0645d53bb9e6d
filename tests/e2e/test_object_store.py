"""The whole pipeline with logs, artifacts, metadata and pushed models on an S3 server, and nothing
stored locally.
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
SMALL = [
    "--set", "retrieval.epochs=2", "--set", "ranking.epochs=1",
    "--set", "blessing.baselines=[{baseline='popular'}]",
]  # fmt: skip


def tandem(*args: str) -> str:
    command = [sys.executable, "-m", "pipeline.cli", *args]
    completed = subprocess.run(command, check=False, capture_output=True, text=True)
    assert completed.returncode == 0, completed.stdout[-3000:] + completed.stderr[-3000:]
    return completed.stdout


@contextlib.contextmanager
def serve(root: str):
    """Runs `tandem serve` in a separate process; yields its gRPC address."""
    ports = ("--grpc-port", "0", "--rest-port", "0")
    command = [sys.executable, "-m", "pipeline.cli", "serve", "--root", root, *ports]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        ready = re.search(r"gRPC (\S+),", server.stdout.readline())
        assert ready, "expected the server's address"
        yield ready[1]
        server.terminate()
        assert server.wait(60) == 0


def read_valid_events(shop: pathlib.Path) -> list[dict]:
    """The log without its malformed lines, which lack a field or are truncated."""
    lines = (shop / "events.jsonl").read_text().splitlines()
    events = (json.loads(line) for line in lines if line.startswith("{") and line.endswith("}"))
    return [event for event in events if len(event) == 6 and isinstance(event["timestamp"], int)]


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
    assert object_store.list_files(f"{root}/checkpoints") == []  # both models are trained
    assert b"</html>" in object_store.read(f"{root}/report.html")

    events = read_valid_events(shop)
    user = events[0]["user_id"]
    with serve(root) as address:
        arguments = ("recommend", "--root", root, "--user", user, "--server", address, "--json")
        answer = json.loads(tandem(*arguments))
    ids = [row["item_id"] for row in answer["recommendations"]]
    assert len(set(ids)) == 10
    assert not set(ids) & {event["item_id"] for event in events if event["user_id"] == user}

    again = json.loads(tandem(*run, "--json"))
    assert [stage["name"] for stage in again["stages"] if not stage["cached"]] == []
    assert again["retrieval"] == first["retrieval"]
    assert not [name for name in object_store.list_files(f"{root}/serving") if "/2/" in name]
