"""Does the server's memory stay constant over many requests, a tenth of which are invalid?

    python -m benchmarks.soak [--requests 100000] [--root RUN] [--json]

`tandem serve` runs in its own process, on a small simulated shop that is trained first or on a
given run; 32 callers send requests over gRPC. Memory is the process's resident memory (VmRSS) after
each twentieth of the requests. The last line is its growth over the second half, per ten thousand
requests.
"""

import argparse
import asyncio
import json
import pathlib
import sys
import tempfile
from typing import Any

import grpc
import numpy as np
import tensorflow as tf

from benchmarks.serving import models
from benchmarks.serving import requests as serving_requests
from benchmarks.serving import run as serving

_CALLERS = 32
_PARTS = 20


def main() -> None:
    """Sends the requests, then prints a table or, with --json, only one JSON object."""
    args = _arguments()
    with tempfile.TemporaryDirectory(prefix="tandem-bench-") as name:
        root = args.root or models.train_shop(pathlib.Path(name))[1]
        with serving.tandem_process(root) as (process, grpc_address, _):
            response = asyncio.run(_send_requests(grpc_address, process.pid, args.requests))
    response["growth_mb_by_10000"] = growth(response["megabytes"], args.requests)
    if args.json:
        print(json.dumps(response, indent=1))
        return
    for part, megabytes in enumerate(response["megabytes"]):
        print(f"{part * args.requests // _PARTS:10,} requests  {megabytes:8.1f} MB")
    print(f"answered {response['answered']:,}, refused {response['refused']:,}; ", end="")
    print(f"{response['growth_mb_by_10000']:+.2f} MB by 10,000 requests over the second half")


def growth(megabytes: list[float], requests: int) -> float:
    """Slope of the second half of evenly spaced measurements, per 10,000 requests."""
    half = megabytes[len(megabytes) // 2 :]
    each = requests / (len(megabytes) - 1)
    slope = np.polyfit(each * np.arange(len(half)), half, 1)[0]
    return float(10_000 * slope)


async def _send_requests(address: str, pid: int, requests: int) -> dict[str, Any]:
    request = serving_requests.draw_requests([f"i{n}" for n in range(300)], 500, 50, seed=1)
    good = [serving_requests.message(one).SerializeToString() for one in request]
    bad = _build_invalid(request[0])
    counts = {"answered": 0, "refused": 0}
    megabytes = [_megabytes(pid)]
    async with grpc.aio.insecure_channel(address) as channel:
        call = channel.unary_unary(serving_requests.PREDICT)

        async def caller(numbers: range) -> None:
            for number in numbers:
                is_invalid = number % 10 == 9
                message = bad[number % len(bad)] if is_invalid else good[number % len(good)]
                try:
                    await call(message, timeout=30)
                    counts["answered"] += 1
                except grpc.aio.AioRpcError:
                    if not is_invalid:
                        raise
                    counts["refused"] += 1

        for part in range(_PARTS):
            begin, end = (requests * n // _PARTS for n in (part, part + 1))
            callers = (caller(range(begin + n, end, _CALLERS)) for n in range(_CALLERS))
            await asyncio.gather(*callers)
            megabytes.append(_megabytes(pid))
            print(f"{end:,} requests: {megabytes[-1]:.1f} MB", file=sys.stderr, flush=True)
    return counts | {"megabytes": megabytes}


def _build_invalid(query: dict[str, Any]) -> list[bytes]:
    """A k of 0, a wrong type, an unknown input, an unknown model, and bytes that are not a
    message.
    """
    results = []
    for name, value in (("k", tf.constant([0])), ("now", tf.constant(["x"])), ("x", tf.zeros([1]))):
        request = serving_requests.message(query)
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
        results.append(request.SerializeToString())
    unknown_user = serving_requests.message(query)
    unknown_user.model_spec.name = "nobody"
    return [*results, unknown_user.SerializeToString(), b"\xff" * 100]


def _megabytes(pid: int) -> float:
    status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    (line,) = (line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--root", type=pathlib.Path, help="a finished run to serve")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
