"""Searches indexes in turns, each in its own new process, so that all see the same machine load."""

import contextlib
import json
import os
import pathlib
import statistics
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.index.names import EXACT

_STDERR_TAIL = 2_000


def build(name: str, folder: pathlib.Path, target: float) -> dict[str, Any]:
    """The output of `benchmarks.index.build_one`."""
    arguments = [name, str(folder), str(target), str(os.cpu_count())]
    with _start("benchmarks.index.build_one", arguments, folder / f"{name}.log") as process:
        return _read_line(process, folder / f"{name}.log")


def measure(
    made: dict[str, dict[str, Any]], folder: pathlib.Path, threads: int, rounds: int
) -> dict[str, dict[str, Any]]:
    """ANN recall and times over all rounds (see `summary`), by name."""
    with contextlib.ExitStack() as stack:
        processes, results = {}, {}
        for name, built in made.items():
            log = folder / f"{name}-{threads}.log"
            arguments = [name, str(folder), str(threads), json.dumps(built["parameters"])]
            processes[name] = stack.enter_context(
                _start("benchmarks.index.search_one", arguments, log)
            )
            results[name] = _read_line(processes[name], log)
        timings = [
            {
                name: _round(process, folder / f"{name}-{threads}.log")
                for name, process in processes.items()
            }
            for _ in range(rounds)
        ]
    return {name: results[name] | summary(name, timings) for name in made}


def summary(name: str, rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """Summarises `rounds`: the output of `benchmarks.index.search_one` by round and name.

    Medians over rounds of the median and of the ratio to exact search's median in the same round
    (null without exact search); p99 is over all rounds' queries.
    """
    medians = [statistics.median(each[name]["single_ms"]) for each in rounds]
    ratios = [
        median / statistics.median(each[EXACT]["single_ms"])
        for median, each in zip(medians, rounds, strict=True)
        if EXACT in each
    ]
    all_ms = np.concatenate([each[name]["single_ms"] for each in rounds])
    return {
        "p50_ms": statistics.median(medians),
        "p99_ms": float(np.percentile(all_ms, 99)),
        "p50_ratio_to_exact": statistics.median(ratios) if ratios else None,
        "batch_per_second": statistics.median(each[name]["batch_per_second"] for each in rounds),
    }


@contextlib.contextmanager
def _start(
    module: str, arguments: list[str], log: pathlib.Path
) -> Iterator["subprocess.Popen[str]"]:
    environment = {**os.environ, "TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    if arguments[2] == "1":
        environment["OMP_NUM_THREADS"] = "1"
    with log.open("w", encoding="utf-8") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=environment,
        )
        with process:
            yield process


def _round(process: "subprocess.Popen[str]", log: pathlib.Path) -> dict[str, Any]:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()
    return _read_line(process, log)


def _read_line(process: "subprocess.Popen[str]", log: pathlib.Path) -> dict[str, Any]:
    """The next line of JSON that the process prints. If it ended, exits with its stderr."""
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        output = log.read_text(encoding="utf-8")[-_STDERR_TAIL:]
        sys.exit(f"{process.args} failed:\n{output}")
    return json.loads(line)
