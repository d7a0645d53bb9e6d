"""A root on a real object store: the run is killed in one stage after another, then the store."""

import collections
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

from tests.e2e.minio import Minio, find_program

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(2400)]

CONFIG = pathlib.Path(__file__).resolve().parents[2] / "configs" / "simulated.toml"
SMALL = [
    "--set", "retrieval.epochs=1", "--set", "ranking.epochs=1",
    "--set", "blessing.baselines=[{baseline='popular'}]",
]  # fmt: skip
KILLED = [
    "ItemsGen", "StatisticsGen.items", "Transform.items", "RetrievalTrainer", "RankingTrainer",
    "RankingAnalysis", "InfraCheck",
]  # fmt: skip
SENTENCE_SECONDS = 240


@pytest.fixture(scope="module")
def minio(tmp_path_factory):
    server = Minio(find_program(), tmp_path_factory.mktemp("store"))
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="module")
def environment(minio):
    return os.environ | minio.environment


@pytest.fixture(scope="module")
def bucket(minio):
    import boto3

    with pytest.MonkeyPatch.context() as patch:
        for name, value in minio.environment.items():
            patch.setenv(name, value)
        boto3.client("s3").create_bucket(Bucket="models")
        yield "s3://models"


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    out = tmp_path_factory.mktemp("shop")
    size = ["--users", "60", "--items", "200", "--events", "1500", "--seed", "5"]
    command = [sys.executable, "-m", "pipeline.cli", "simulate", *size, "--out", str(out)]
    subprocess.run(command, check=True, capture_output=True)
    return out


class Run:
    """A `tandem run`, whose stages are read as they begin and end."""

    def __init__(self, shop, root, environment):
        command = [sys.executable, "-m", "pipeline.cli", "run", "--config", str(CONFIG)]
        self.process = subprocess.Popen(
            [*command, "--data", str(shop), "--root", root, *SMALL],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
        )  # fmt: skip
        self.executed: list[str] = []
        self.cached: list[str] = []

    def read_until(self, stage: str | None) -> None:
        """Reads to the line that says that the stage begins, or to the end."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            name, *words = [*line.split(), "", ""]
            if words[0] == "cached":
                self.cached.append(name)
            elif words[1:2] == ["s"]:
                self.executed.append(name)
            elif name == stage and words[0] == "…":
                return

    def finish(self) -> tuple[int, str]:
        """Exit code and stderr at the end."""
        self.read_until(None)
        assert self.process.stderr is not None
        errors = self.process.stderr.read()
        return self.process.wait(), errors


def is_one_sentence(errors: str) -> bool:
    """Whether the last line says what was expected, and there is no traceback."""
    return "Traceback" not in errors and "expected" in errors.strip().splitlines()[-1]


def test_a_run_loses_at_most_the_stage_under_way(minio, bucket, shop, environment):
    root, finished = f"{bucket}/shop", []
    for stage in KILLED:
        run = Run(shop, root, environment)
        run.read_until(stage)
        time.sleep(0.5)
        run.process.send_signal(signal.SIGKILL)
        run.process.wait()
        assert run.cached == finished[: len(run.cached)], "the stages of the runs before"
        assert len(run.cached) == len(finished)
        finished += run.executed
        assert stage not in finished

    run = Run(shop, root, environment)
    run.read_until("InfraCheck")
    minio.kill()
    code, errors = run.finish()
    assert (code, is_one_sentence(errors)) == (2, True), errors
    minio.start()

    run = Run(shop, root, environment)
    run.read_until("InfraCheck")
    minio.pause()
    begin = time.monotonic()
    code, errors = run.finish()
    minio.go_on()
    assert (code, is_one_sentence(errors)) == (2, True), errors
    assert time.monotonic() - begin < SENTENCE_SECONDS
    assert run.cached == finished

    last = Run(shop, root, environment)
    assert last.finish()[0] == 0
    assert last.cached == finished
    assert not set(last.executed) & set(finished)
    counts = collections.Counter(finished + last.executed)
    assert set(counts.values()) == {1}
    assert last.executed == ["InfraCheck", "Pusher"]


def test_of_two_runs_at_once_one_stops(bucket, shop, environment):
    """Both are at work in a stage; the one that ends later finds the other's metadata."""
    root = f"{bucket}/shared"
    one, other = Run(shop, root, environment), Run(shop, root, environment)
    for run in (one, other):
        run.read_until("InteractionsGen")
    (code, errors), (other_code, other_errors) = one.finish(), other.finish()
    assert sorted([code, other_code]) == [0, 2]
    refused = errors if code else other_errors
    assert is_one_sentence(refused)
    assert f"expected to be the only run at {root}" in refused
    again = Run(shop, root, environment)
    assert again.finish()[0] == 0
    assert again.executed == []


def test_a_second_run_and_a_recommendation(bucket, shop, environment):
    user = json.loads((shop / "users.jsonl").read_text().splitlines()[0])["user_id"]
    command = [sys.executable, "-m", "pipeline.cli", "recommend", "--root", f"{bucket}/shared"]
    answer = subprocess.run(
        [*command, "--user", user, "--k", "5", "--json"],
        env=environment, check=True, capture_output=True, text=True,
    )  # fmt: skip
    items = [row["item_id"] for row in json.loads(answer.stdout)["recommendations"]]
    assert len(set(items)) == 5
