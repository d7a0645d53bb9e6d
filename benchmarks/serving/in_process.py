"""The upper limit: the servable called in its own process, by one thread per core.

    python -m benchmarks.serving.in_process FOLDER REQUESTS SECONDS

TensorFlow has one thread within an op, as in `tandem serve`: more would answer fewer requests.
Inputs are already tensors, nothing is parsed or written. Prints one JSON object.
"""

import json
import os
import pathlib
import sys
import threading
import time

import numpy as np
import tensorflow as tf

from benchmarks.serving import requests
from serving.server.servable import Call, load_servable


def main() -> None:
    """Calls in a closed loop."""
    tf.config.threading.set_intra_op_parallelism_threads(1)
    folder, path, seconds = pathlib.Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])
    model = load_servable("recommender", int(folder.name), folder)
    lines = pathlib.Path(path).read_text(encoding="utf-8").splitlines()
    calls = [model.call("", requests.arrays(json.loads(line)), ()) for line in lines]
    for call in calls[:50]:
        call.run(call.inputs)
    result = [_run_closed_loop(calls, threads, seconds) for threads in {1, os.cpu_count() or 1}]
    print(json.dumps(max(result, key=lambda one: one["answered_per_second"])))


def _run_closed_loop(calls: list[Call], threads: int, seconds: float) -> dict[str, float]:
    latencies: list[float] = []
    begin = time.perf_counter()

    def loop(number: int) -> None:
        while time.perf_counter() - begin < seconds:
            call = calls[number % len(calls)]
            sent = time.perf_counter()
            call.run(call.inputs)
            latencies.append(time.perf_counter() - sent)
            number += threads

    workers = [threading.Thread(target=loop, args=(n,)) for n in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    timings = time.perf_counter() - begin
    p50, p99 = (1000 * float(np.percentile(latencies, p)) for p in (50, 99))
    return {
        "answered_per_second": len(latencies) / timings,
        "threads": threads,
        "p50_ms": p50,
        "p99_ms": p99,
    }


if __name__ == "__main__":
    main()
