"""SIGTERM to a real `tandem serve`: requests in progress are answered, later ones get UNAVAILABLE,
so that clients try another server.
"""

import re
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import tensorflow as tf

from schema.errors import UsageError
from serving.client.client import Client
from serving.client.connection import RetryPolicy
from serving.protocol.errors import RequestError
from serving.versions.local import LocalVersionStore


class Slow(tf.Module):
    """Counts to n in a loop of slow steps, so that a call can last a second."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int64, name="n")])
    def serve(self, n):
        limit = tf.reduce_max(n)
        total = tf.while_loop(
            lambda i, _: i < limit,
            lambda i, x: (i + 1, x + tf.reduce_sum(tf.sort(tf.random.uniform([1000]))) * 0),
            (tf.constant(0, tf.int64), tf.constant(0.0)),
        )
        return {"counted": n + tf.cast(total[1], tf.int64)}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("slow")
    model = Slow()
    tf.saved_model.save(model, str(folder / "model"), signatures=model.serve)
    LocalVersionStore(folder / "serving").push({"slow": folder / "model"})
    return folder


@pytest.fixture
def served(root, request):
    grace = getattr(request, "param", "20")
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline.cli", "serve", "--root", str(root), "--grpc-port", "0",
         "--rest-port", "0", "--grace-seconds", grace],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    assert process.stdout is not None
    ready = re.search(r"gRPC (\S+),", process.stdout.readline())
    assert ready is not None
    yield process, ready[1]
    if process.poll() is None:
        process.kill()
    process.communicate()


def count(client, n):
    return client.predict("slow", {"n": np.array([n])}, timeout_s=60)["counted"].tolist()


def test_a_long_call_completes_before_the_process_ends(served):
    process, address = served
    with Client(address, 60, retries=RetryPolicy(attempts=1)) as client:
        begin = time.perf_counter()
        assert count(client, 2000) == [2000]
        second = int(2000 / (time.perf_counter() - begin))  # the count of about one second
        results = []
        long = threading.Thread(target=lambda: results.append(count(client, 3 * second)))
        long.start()
        time.sleep(0.5)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        with pytest.raises((UsageError, RequestError)) as error:
            count(client, 1)
        long.join(60)
        assert results == [[3 * second]]
    assert isinstance(error.value, UsageError)  # the client's error for UNAVAILABLE
    assert process.wait(30) == 0


@pytest.mark.e2e
def test_under_load_every_request_is_answered_or_redirected(served):
    process, address = served
    outcomes = []

    def keep_sending():
        with Client(address, 60, retries=RetryPolicy(attempts=1)) as client:
            while True:
                try:
                    outcomes.append(count(client, 5) == [5])
                except UsageError:  # UNAVAILABLE
                    return
                except RequestError as error:
                    outcomes.append(error.code)
                    return

    threads = [threading.Thread(target=keep_sending) for _ in range(8)]
    for thread in threads:
        thread.start()
    time.sleep(1)
    process.send_signal(signal.SIGTERM)
    for thread in threads:
        thread.join(60)
    assert len(outcomes) > 20
    assert set(outcomes) == {True}
    assert process.wait(30) == 0


@pytest.mark.parametrize("served", ["1"], indirect=True)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_call_that_does_not_end_is_cut_off_after_the_grace(served, number):
    process, address = served
    failed = []

    def send():
        with Client(address, 600, retries=RetryPolicy(attempts=1)) as client:
            try:
                count(client, 10**9)
            except (UsageError, RequestError) as error:
                failed.append(error)

    sender = threading.Thread(target=send)
    sender.start()
    time.sleep(2)
    begin = time.monotonic()
    process.send_signal(number)
    assert process.wait(30) == 0
    assert time.monotonic() - begin < 15  # a second of grace, two to close, and a margin
    sender.join(60)
    assert len(failed) == 1
