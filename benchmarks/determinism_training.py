"""One training of retrieval for `benchmarks.determinism`, in this process: prints JSON.

python -m benchmarks.determinism_training ROOT EVENTS DETERMINISTIC CORES
"""

import hashlib
import json
import os
import pathlib
import sys
import tempfile
import time
from typing import Any

from benchmarks.quality import data as quality_data
from pipeline.config.config import Config, load_config
from trainer.config.deterministic import prepare_process


def train(root: pathlib.Path, events: int, deterministic: str) -> dict[str, Any]:
    """Metrics on test, the SHA-256 of the final item vectors, and the duration of the training.

    Runs the data stages first, unless their output exists under `root`.
    """
    data_set = quality_data.prepare_data_set(quality_data.SIMULATED, root, events)
    config = load_config(data_set.config, [f"trainer.deterministic={deterministic}"])
    prepare_process(config.trainer)
    # Imports TensorFlow: only after the process is prepared.
    from benchmarks.train import data as train_data

    data = train_data.prepare(data_set, config, data_set.home / "determinism")
    with tempfile.TemporaryDirectory(dir=data_set.home) as folder:
        return _measure(data, config, pathlib.Path(folder))


def _measure(data: Any, config: Config, folder: pathlib.Path) -> dict[str, Any]:
    from benchmarks.quality import ablation, variant
    from schema import candidates

    begin, cpu_begin = time.perf_counter(), time.process_time()
    metrics = variant.train_variant(data, config, ablation.AS_CONFIGURED, folder)
    seconds, cpu_seconds = time.perf_counter() - begin, time.process_time() - cpu_begin
    vectors = candidates.load(str(folder / "final" / "candidates")).vectors
    return {
        "metrics": metrics,
        "digest": hashlib.sha256(vectors.tobytes()).hexdigest(),
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
    }


def main(root: str, events: str, deterministic: str, cores: str) -> None:
    """Trains on the first `cores` cores, which TensorFlow reads when it is imported."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(cores)])
    print(json.dumps(train(pathlib.Path(root), int(events), deterministic)))


if __name__ == "__main__":
    main(*sys.argv[1:])
