"""The arithmetic of the serving benchmarks, by hand."""

import asyncio
import json

import numpy as np
import pytest

from benchmarks import soak
from benchmarks.serving import load, requests
from benchmarks.serving import run as serving


def test_arrivals_are_poisson_at_the_rate_and_the_same_by_seed():
    times = load.arrivals(200, 50, seed=1)
    assert len(times) == pytest.approx(10_000, rel=0.05)
    assert (np.diff(times) > 0).all()
    assert times[-1] < 50
    gaps = np.diff(times)
    assert gaps.std() == pytest.approx(gaps.mean(), rel=0.05)  # exponential
    assert load.arrivals(200, 50, seed=1).tolist() == times.tolist()


def test_percentiles_are_in_milliseconds():
    result = load.summary([n / 1000 for n in range(1, 101)], [0.002] * 10, 3, 2.0)
    assert result["p50_ms"] == pytest.approx(50.5)
    assert result["p99_ms"] == pytest.approx(99.01)
    assert (result["answered_per_second"], result["failed"]) == (50.0, 3)
    assert result["driver_lag_p99_ms"] == pytest.approx(2.0)


def test_latency_counts_from_the_scheduled_time():
    """A server that needs 20 ms per request receives five at once: the last waits for the
    others.
    """
    turn = asyncio.Lock()

    async def send(request):
        async with turn:
            await asyncio.sleep(0.02)

    result = asyncio.run(load.open_loop(send, ["x"], np.zeros(5)))
    assert 55 < result["p50_ms"] < 200
    assert result["p99_ms"] > 95


def phase(**changes):
    return {"failed": 0, "p99_ms": 19.0, "driver_lag_p99_ms": 1.0} | changes


@pytest.mark.parametrize(
    ("changes", "good"),
    [
        ({}, True),
        ({"failed": 1}, False),
        ({"p99_ms": 20.0}, False),
        ({"driver_lag_p99_ms": 10.0}, False),
    ],
)
def test_a_rate_is_good_if_all_responses_are_in_time(changes, good):
    assert serving.is_good(phase(**changes)) == good


def test_the_headline_compares_grpc_with_both_others():
    row = {
        "in_process": {"answered_per_second": 1000.0},
        "grpc": {"throughput": 600.0, "goodput": 540.0, "at_half_peak": {"p99_ms": 7.0}},
        "fastapi": {"throughput": 200.0},
    }
    assert serving.headline(row) == {
        "throughput_ratio_to_in_process": 0.6,
        "throughput_ratio_to_fastapi": 3.0,
        "p99_ms_at_half_peak": 7.0,
        "goodput_ratio_at_twice_peak": 0.9,
    }
    row["fastapi"] = {"throughput": 0.0}
    assert serving.headline(row)["throughput_ratio_to_fastapi"] is None


def test_the_same_request_is_sent_to_all():
    (request,) = requests.draw_requests(["a", "b"], 1, 5, seed=3)
    assert set(request["history_item_ids"]) <= {"a", "b"}
    assert len(request["history_item_ids"]) == len(request["history_timestamps"]) <= 5
    assert max(request["history_timestamps"]) < request["now"]
    assert json.loads(requests.body(request))["instances"] == [request]
    sent = requests.message(request)
    assert sent.inputs["k"].int_val == [10]
    assert [item.decode() for item in sent.inputs["history_item_ids"].string_val] == (
        request["history_item_ids"]
    )


def test_growth_is_that_of_the_second_half():
    """A megabyte per 5,000 requests in the second half, after any first half."""
    megabytes = [100.0, 150.0, 170.0, 175.0, 176.0, 176.0, 177.0, 178.0, 179.0, 180.0, 181.0]
    assert soak.growth(megabytes, 50_000) == pytest.approx(2.0)
