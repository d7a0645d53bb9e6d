"""The DAG as a Kubeflow Pipelines v2 document, made without any cluster or cloud."""

import dataclasses
import pathlib
from typing import Any

import yaml
from google.protobuf import json_format
from kfp.compiler import pipeline_spec_builder
from kfp.pipeline_spec import pipeline_spec_pb2
from tfx import v1 as tfx
from tfx.orchestration.kubeflow.decorators import FinalStatusStr

from components.run_verdict import NAME as VERDICT
from components.run_verdict import RunVerdict
from pipeline import dag, kubeflow_parameters, kubeflow_tasks, kubernetes_platform
from pipeline.config import Config
from pipeline.kubeflow_parameters import IMAGE
from pipeline.run_parameters import RunParameters
from schema.errors import UsageError

DATA = "data"
"""The parameter that says where the tables' paths start from."""


def compile_to(out: pathlib.Path, config: Config, image: str, data: str, root: str) -> int:
    """Writes the YAML at `out` after KFP's own pipeline spec has accepted it; returns the number
    of tasks that run in a container.

    The input's content is unknown here, so ingestion is cached by the data's location alone.
    """
    _prepare(out)
    defaults = dataclasses.asdict(RunParameters.of(config)) | {DATA: data, IMAGE: image}
    spec = _specified(config, root, image, defaults)
    spec.default_pipeline_root = f"{root}/artifacts"
    kubeflow_parameters.take_image_from_run(spec)
    kubeflow_parameters.declare(spec, defaults)
    kubeflow_parameters.pass_down(spec)
    kubeflow_tasks.settle(spec, config.kubeflow)
    platform = kubernetes_platform.of(config.kubeflow, kubeflow_tasks.executors(spec))
    pipeline_spec_builder.write_pipeline_spec_to_file(spec, None, platform, str(out))
    return len(validated(out).deployment_spec["executors"])


def _specified(config: Config, root: str, image: str, defaults: dict[str, Any]) -> Any:
    """What TFX makes of the DAG, as a message of KFP's own pipeline spec."""
    at_run = {name: _at_run(name, value) for name, value in defaults.items() if name != IMAGE}
    pipeline = dag.build(
        config,
        _locations(at_run.pop(DATA), root),
        fingerprint="",
        given=RunParameters(**at_run),
    )
    for component in pipeline.components:
        component.with_id(task_name(component.id))
    settings = tfx.orchestration.experimental.KubeflowV2DagRunnerConfig(
        default_image=image, use_pipeline_spec_2_1=True
    )
    runner = tfx.orchestration.experimental.KubeflowV2DagRunner(settings)
    runner.set_exit_handler(
        RunVerdict(final_status=FinalStatusStr(), folder=f"{root}/verdicts").with_id(VERDICT)
    )
    job = runner.run(pipeline, write_out=False)
    return _parsed(job["pipelineSpec"])


def _at_run(name: str, default: str | int) -> tfx.dsl.experimental.RuntimeParameter:
    return tfx.dsl.experimental.RuntimeParameter(name, type(default), default)


def _locations(data: tfx.dsl.experimental.RuntimeParameter, root: str) -> dag.Locations:
    return dag.Locations(
        data=data,
        artifacts=f"{root}/artifacts",
        serving=f"{root}/serving",
        tensorboard=f"{root}/tensorboard",
        rejected=f"{root}/rejected",
        statistics=f"{root}/statistics",
        checkpoints=f"{root}/checkpoints",
    )


def task_name(component: str) -> str:
    """A component's name as Kubeflow has it: Argo, which runs KFP's tasks, takes letters, digits
    and dashes alone (argo-workflows, workflow/validate).
    """
    return component.replace(".", "-")


def _prepare(out: pathlib.Path) -> None:
    if out.suffix not in (".yaml", ".yml"):
        raise UsageError(f"expected a file that ends in .yaml, received --out {out}; name it so")
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
    return _parsed(next(yaml.safe_load_all(path.read_text(encoding="utf-8"))))


def _parsed(document: dict[str, Any]) -> Any:
    spec: Any = json_format.ParseDict(document, _message("PipelineSpec"))
    executors = json_format.MessageToDict(spec.deployment_spec)  # to the spec any Struct will do
    json_format.ParseDict(executors, _message("PipelineDeploymentConfig"))
    return spec


def _message(name: str) -> Any:
    return getattr(pipeline_spec_pb2, name)()
