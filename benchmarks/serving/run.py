"""How many requests can the server answer, compared with the model alone and with FastAPI?

    python -m benchmarks.serving [--items 10000 100000] [--index stock scann] [--seconds 5] [--json]

One call retrieves 200 items and ranks them; histories have 1 to 50 items. `stock` is the pipeline's
choice among TensorFlow's own ops: exact search below 20,000 items, an inverted file above. `tandem
serve`, over gRPC and over REST, and a FastAPI endpoint over the same SavedModel run in one process
each and are driven alternately from another one by Poisson arrivals (`benchmarks.serving.load`).
The rate is raised by a sixth until the 99th percentile is 20 ms or more, a request fails, or the
driver itself is late. `throughput` is the highest rate below that; for the model alone, called in
its own process by one thread per core, it is calls per second. `goodput` is the number of requests
answered per second at twice that rate. The servers share this machine's cores with the driver; the
model alone does not.
"""

import argparse
import contextlib
import json
import os
import pathlib
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

from benchmarks.serving import models
from benchmarks.serving import requests as serving_requests
from serving.config import IndexConfig

_P99_MS = 20.0
_LATE_MS = 10.0
_STEP = 7 / 6
_FIRST = 0.3
_ROUNDS = 3
_FORMS = ("stock", "scann")
_SYSTEMS = ("grpc", "rest", "fastapi")
_QUIET = {**os.environ, "TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
Phase = dict[str, Any]


def main() -> None:
    """Measures, then prints a table or, with --json, only one JSON object; progress on stderr."""
    args = _arguments()
    rows = []
    with tempfile.TemporaryDirectory(prefix="tandem-bench-") as name:
        folder = pathlib.Path(name)
        _print_progress("training a small shop")
        shop, root = models.train_shop(folder)
        for items in args.items:
            for index in args.index:
                into = folder / f"{items}-{index}"
                ids = models.add_items(shop, root, items, _choose_kind(index, items), into)
                rows.append(_measure(into, ids, args.seconds) | {"items": items, "index": index})
                _print_progress(json.dumps(rows[-1]))
    results = headline(rows[0]) | {"rows": rows}
    print(json.dumps(results, indent=1) if args.json else table(rows))


def _choose_kind(index: str, items: int) -> str:
    if index == "scann":
        return index
    return "exact" if items < IndexConfig().exact_below else "ivf"


def _measure(root: pathlib.Path, ids: list[str], seconds: float) -> Phase:
    requests = root / "requests.jsonl"
    request = serving_requests.draw_requests(ids, 500, 50, seed=1)
    requests.write_text("".join(f"{json.dumps(one)}\n" for one in request), encoding="utf-8")
    model = max((root / "serving" / "recommender").iterdir(), key=lambda path: int(path.name))
    alone = [_run_in_process(model, requests, seconds) for _ in range(_ROUNDS)]
    with tandem_process(root) as (_, grpc_address, rest_url), _fastapi(model) as fastapi_url:
        addresses = dict(zip(_SYSTEMS, (grpc_address, rest_url, fastapi_url), strict=True))
        result = {
            name: _measure_system(name, at, requests, seconds) for name, at in addresses.items()
        }
    return {"in_process": _median(alone)} | result


def _measure_system(name: str, address: str, requests: pathlib.Path, seconds: float) -> Phase:
    def phase(rate: float, seed: int) -> Phase:
        return _drive(name, address, requests, rate, seconds, seed)

    phase(0, 0)
    closed = phase(0, 1)["answered_per_second"]
    steps = list(_raise_rate(phase, _FIRST * closed))
    good = [step["rate"] for step in steps if step["good"]]
    peak = max(good, default=0.0)
    half = [phase(peak / 2, seed) for seed in range(_ROUNDS)] if peak else []
    twice = [phase(2 * peak, seed) for seed in range(_ROUNDS)] if peak else []
    return {
        "throughput": peak,
        "goodput": statistics.median(one["answered_per_second"] for one in twice) if peak else 0.0,
        "closed_loop_per_second": closed,
        "at_half_peak": _median(half) if half else None,
        "steps": steps,
    }


def _raise_rate(phase: Any, rate: float) -> Iterator[Phase]:
    """Each rate gets a second attempt, in case the machine was busy with something else."""
    while True:
        tried = [phase(rate, seed=10)]
        if not is_good(tried[0]):
            tried.append(phase(rate, seed=11))
        yield tried[-1] | {"rate": rate, "good": is_good(tried[-1])}
        if not is_good(tried[-1]):
            return
        rate *= _STEP


def is_good(phase: Phase) -> bool:
    """Whether all requests were answered in time and the driver itself was on time."""
    return (
        not phase["failed"] and phase["p99_ms"] < _P99_MS and phase["driver_lag_p99_ms"] < _LATE_MS
    )


def headline(row: Phase) -> dict[str, float | None]:
    """The headline numbers of one row, over gRPC."""
    half = row["grpc"]["at_half_peak"]
    return {
        "throughput_ratio_to_in_process": _ratio(
            row["grpc"]["throughput"], row["in_process"]["answered_per_second"]
        ),
        "throughput_ratio_to_fastapi": _ratio(
            row["grpc"]["throughput"], row["fastapi"]["throughput"]
        ),
        "p99_ms_at_half_peak": None if half is None else half["p99_ms"],
        "goodput_ratio_at_twice_peak": _ratio(row["grpc"]["goodput"], row["grpc"]["throughput"]),
    }


def _ratio(one: float, other: float) -> float | None:
    return one / other if other else None


def table(rows: list[Phase]) -> str:
    """The results as a Markdown table."""
    lines = [
        "| items | index | | requests/s at p99 < 20 ms | answered/s at twice that "
        "| closed loop, requests/s | p50, p95, p99 ms at half |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        head = f"| {row['items']:,} | {row['index']} |"
        alone = row["in_process"]["answered_per_second"]
        lines.append(f"{head} in process | | | {alone:.0f} | |")
        for name in _SYSTEMS:
            results, half = row[name], row[name]["at_half_peak"]
            times = (
                "" if half is None else ", ".join(f"{half[f'p{p}_ms']:.1f}" for p in (50, 95, 99))
            )
            lines.append(
                f"{head} {name} | {results['throughput']:.0f} | {results['goodput']:.0f} "
                f"| {results['closed_loop_per_second']:.0f} | {times} |"
            )
    return "\n".join(lines)


def _median(phases: list[Phase]) -> Phase:
    return {name: statistics.median(phase[name] for phase in phases) for name in phases[0]}


def _run_in_process(model: pathlib.Path, requests: pathlib.Path, seconds: float) -> Phase:
    return _module("in_process", str(model), str(requests), str(seconds))


def _drive(
    kind: str, address: str, requests: pathlib.Path, rate: float, seconds: float, seed: int
) -> Phase:
    return _module("load", kind, address, str(requests), str(rate), str(seconds), str(seed))


def _module(name: str, *arguments: str) -> Phase:
    command = [sys.executable, "-m", f"benchmarks.serving.{name}", *arguments]
    completed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=_QUIET)
    return json.loads(completed.stdout.splitlines()[-1])


@contextlib.contextmanager
def tandem_process(root: pathlib.Path) -> Iterator[tuple["subprocess.Popen[str]", str, str]]:
    """`tandem serve` of a run on free ports: the process, its gRPC address and its REST URL."""
    command = [sys.executable, "-m", "pipeline.cli", "serve", "--root", str(root)]
    command += ["--grpc-port", "0", "--rest-port", "0"]
    with _terminating(subprocess.Popen(command, stdout=subprocess.PIPE, text=True)) as process:
        assert process.stdout is not None
        addresses = re.search(r"gRPC (\S+), REST (\S+)", process.stdout.readline())
        assert addresses is not None
        yield process, addresses[1], addresses[2]


@contextlib.contextmanager
def _fastapi(model: pathlib.Path) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "benchmarks.serving.fastapi_endpoint", str(model), str(port)]
    with _terminating(subprocess.Popen(command, env=_QUIET, text=True)):
        url = f"http://127.0.0.1:{port}"
        _await(f"{url}/openapi.json")
        yield url


@contextlib.contextmanager
def _terminating(process: "subprocess.Popen[str]") -> Iterator["subprocess.Popen[str]"]:
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def _await(url: str) -> None:
    end = time.monotonic() + 120
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except urllib.error.URLError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


def _print_progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--items", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument(
        "--index", nargs="+", default=["stock", "scann"], choices=("stock", "scann")
    )
    parser.add_argument("--seconds", type=float, default=5.0, help="of a phase")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()
