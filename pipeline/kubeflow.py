"""The DAG as a Kubeflow Pipelines v2 document, made without any cluster or cloud."""

import pathlib
from typing import Any

import yaml
from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2
from tfx import v1 as tfx

from pipeline import dag
from pipeline.config import Config
from schema.errors import UsageError


def compile_to(out: pathlib.Path, config: Config, image: str, data: str, root: str) -> int:
    """Writes the YAML at `out` after KFP's own pipeline spec has accepted it; returns the number
    of tasks.

    The input's content is unknown here, so ingestion is cached by the data's location alone.
    """
    pipeline = dag.build(
        config,
        dag.Locations(
            data=data,
            artifacts=f"{root}/artifacts",
            serving=f"{root}/serving",
            tensorboard=f"{root}/tensorboard",
            rejected=f"{root}/rejected",
            statistics=f"{root}/statistics",
            checkpoints=f"{root}/checkpoints",
        ),
        fingerprint="",
    )
    _prepare(out)
    settings = tfx.orchestration.experimental.KubeflowV2DagRunnerConfig(
        default_image=image, use_pipeline_spec_2_1=True
    )
    tfx.orchestration.experimental.KubeflowV2DagRunner(
        settings, output_dir=str(out.parent.absolute()), output_filename=out.name
    ).run(pipeline)
    return len(validated(out).root.dag.tasks)


def _prepare(out: pathlib.Path) -> None:
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.touch()
    except OSError as error:
        raise UsageError(
            f"expected to write the pipeline to {out}, received: {error.strerror}; "
            "give another file with --out"
        ) from error


def validated(path: pathlib.Path) -> Any:
    """Parses the first document of `path` by KFP's pipeline spec; raises ParseError on what it
    does not know.
    """
    document = next(yaml.safe_load_all(path.read_text(encoding="utf-8")))
    spec: Any = pipeline_spec_pb2.PipelineSpec()
    return json_format.ParseDict(document, spec)
