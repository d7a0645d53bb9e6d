"""Open-loop load from this process: requests are sent on schedule, whether or not earlier ones have
been answered.

    python -m benchmarks.serving.load KIND ADDRESS REQUESTS RATE SECONDS SEED

KIND is `grpc`, `rest` or `fastapi`; REQUESTS a file with one JSON request per line. RATE 0 is a
closed loop of 32 callers, as fast as possible. Prints one JSON object.
"""

import asyncio
import json
import pathlib
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import grpc
import numpy as np

from benchmarks.serving import requests as serving_requests

Send = Callable[[Any], Awaitable[None]]
_CALLERS = 32
_TIMEOUT_S = 5.0
_FAILURES = (grpc.RpcError, aiohttp.ClientError, asyncio.TimeoutError)


def arrivals(rate: float, seconds: float, seed: int) -> np.ndarray:
    """Poisson arrivals: ascending seconds since the start, less than `seconds`."""
    rng = np.random.default_rng(seed)
    gaps = rng.exponential(1 / rate, int(2 * rate * seconds) + 10)
    times = np.cumsum(gaps)
    return times[times < seconds]


def summary(latencies: list[float], lags: list[float], failed: int, seconds: float) -> dict:
    """Milliseconds by percentile, responses per second, and the driver's own delay."""
    values_by_name: dict[str, Any] = {
        "answered_per_second": len(latencies) / seconds,
        "failed": failed,
        "driver_lag_p99_ms": 1000 * float(np.percentile(lags, 99)) if lags else 0.0,
    }
    for percent in (50, 95, 99):
        value = float(np.percentile(latencies, percent)) if latencies else float("inf")
        values_by_name[f"p{percent}_ms"] = 1000 * value
    return values_by_name


async def open_loop(send: Send, requests: list[Any], times: np.ndarray) -> dict:
    """Latencies count from the scheduled time of a request, so that they include waiting."""
    latencies: list[float] = []
    lags: list[float] = []
    failed = 0

    async def one(request: Any, due: float) -> None:
        nonlocal failed
        lags.append(time.perf_counter() - due)
        try:
            await send(request)
            latencies.append(time.perf_counter() - due)
        except _FAILURES:
            failed += 1

    begin = time.perf_counter() + 0.05
    tasks = []
    for number, at in enumerate(times):
        pause = begin + at - time.perf_counter()
        if pause > 0:
            await asyncio.sleep(pause)
        request = requests[number % len(requests)]
        tasks.append(asyncio.create_task(one(request, begin + at)))
    await asyncio.gather(*tasks)
    return summary(latencies, lags, failed, time.perf_counter() - begin)


async def closed_loop(send: Send, requests: list[Any], seconds: float) -> dict:
    """Sends with a fixed number of callers, each waiting for its response."""
    latencies: list[float] = []
    failed = 0
    begin = time.perf_counter()

    async def caller(number: int) -> None:
        nonlocal failed
        while time.perf_counter() - begin < seconds:
            sent = time.perf_counter()
            try:
                await send(requests[number % len(requests)])
                latencies.append(time.perf_counter() - sent)
            except _FAILURES:
                failed += 1
            number += _CALLERS

    await asyncio.gather(*(caller(n) for n in range(_CALLERS)))
    return summary(latencies, [], failed, time.perf_counter() - begin)


async def _drive(
    kind: str, address: str, requests: list[dict], rate: float, seconds: float, seed: int
) -> dict:
    async def run(send: Send, requests: list[Any]) -> dict:
        if not rate:
            return await closed_loop(send, requests, seconds)
        return await open_loop(send, requests, arrivals(rate, seconds, seed))

    if kind == "grpc":
        async with grpc.aio.insecure_channel(address) as channel:
            predict = channel.unary_unary(serving_requests.PREDICT)

            async def call(request: Any) -> None:
                await predict(request, timeout=_TIMEOUT_S)

            messages = [serving_requests.message(one).SerializeToString() for one in requests]
            return await run(call, messages)
    as_body = serving_requests.body if kind == "rest" else json.dumps
    url = address + ("/v1/models/recommender:predict" if kind == "rest" else "/recommend")
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(timeout=timeout, connector=connector) as session:

        async def post(body: Any) -> None:
            headers = {"Content-Type": "application/json"}
            async with session.post(url, data=body, headers=headers) as response:
                response.raise_for_status()
                await response.read()

        return await run(post, [as_body(one) for one in requests])


def main() -> None:
    """Runs one phase."""
    kind, address, path, rate, seconds, seed = sys.argv[1:]
    lines = pathlib.Path(path).read_text(encoding="utf-8").splitlines()
    requests = [json.loads(line) for line in lines]
    response = asyncio.run(_drive(kind, address, requests, float(rate), float(seconds), int(seed)))
    print(json.dumps(response))


if __name__ == "__main__":
    main()
