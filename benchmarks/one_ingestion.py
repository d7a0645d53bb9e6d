"""One ingestion by one component, in this process: prints seconds and peak memory as JSON."""

import json
import pathlib
import resource
import sys
import time
from collections.abc import Callable

from tfx import v1 as tfx
from tfx.dsl.components.base.base_node import BaseNode

from benchmarks.simulated_csv import CATALOGUE, FILE
from components.ingest import preflight
from components.ingest.fingerprint import compute_input_fingerprint
from components.interactions_gen import InteractionsGen
from pipeline.config.config import BeamConfig
from schema.dataset import Dataset


def dataset() -> Dataset:
    """Declares every column of the file."""
    heads = {"purchase": "binary", "rating": "regression"}
    return Dataset.model_validate(
        {
            # Only the ids of the catalogue are read, to check that those of the events match them.
            "data": {
                "interactions": {"path": FILE},
                "items": {"path": CATALOGUE, "format": "jsonl"},
            },
            "features": {"context": {"device": {"kind": "category"}}},
            "labels": {"ranking": {n: {"column": n, "kind": kind} for n, kind in heads.items()}},
        }
    )


def tandem(log: str, root: str) -> BaseNode:
    """Our component, after the preflight check with which a run begins."""
    described = dataset()
    preflight.check(described, log)
    return InteractionsGen(
        dataset=described.model_dump_json(),
        data_dir=log,
        span="",
        rejected_dir=f"{root}/rejected",
        fingerprint=compute_input_fingerprint(described, log),
    )


def csv_example_gen(log: str, root: str) -> BaseNode:
    """TFX's own component."""
    return tfx.components.CsvExampleGen(input_base=log)


COMPONENTS: dict[str, Callable[[str, str], BaseNode]] = {
    "tandem": tandem,
    "csv_example_gen": csv_example_gen,
}


def ingest(name: str, log: str, root: str) -> dict[str, float]:
    """Runs a pipeline of one component; returns seconds and the process's peak memory in MB."""
    begin = time.perf_counter()
    pipeline = tfx.dsl.Pipeline(
        pipeline_name=name.replace("_", "-"),
        pipeline_root=f"{root}/artifacts",
        components=[COMPONENTS[name](log, root)],
        metadata_connection_config=tfx.orchestration.metadata.sqlite_metadata_connection_config(
            str(pathlib.Path(root) / "metadata.sqlite")
        ),
        beam_pipeline_args=BeamConfig().pipeline_args,
    )
    tfx.orchestration.LocalDagRunner().run(pipeline)
    seconds = time.perf_counter() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": seconds, "peak_mb": peak}


if __name__ == "__main__":
    print(json.dumps(ingest(*sys.argv[1:4])))
