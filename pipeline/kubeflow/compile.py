"""The DAG as a Kubeflow Pipelines v2 document, made without any cluster or cloud."""

import dataclasses
import pathlib
from typing import Any

from tfx import v1 as tfx

from pipeline import dag, kubeflow_declarations, kubernetes_platform
from pipeline.config.config import Config
from pipeline.config.run_parameters import RunParameters
from pipeline.kubeflow import document, final_tasks, parameters, resources
from pipeline.kubeflow.parameters import IMAGE

DATA = "data"
"""The parameter that says where the tables' paths start from."""
_COMMAND = ["python", "-m", "components.kubeflow.task_entrypoint"]


def compile_to(out: pathlib.Path, config: Config, image: str, data: str, root: str) -> list[str]:
    """Writes the YAML at `out` after KFP's own pipeline spec has accepted it; returns the
    components that run as tasks, sorted.

    The input's content is unknown here, so ingestion is cached by the data's location alone.
    """
    document.expect_yaml(out)
    defaults = dataclasses.asdict(RunParameters.of(config)) | {DATA: data, IMAGE: image}
    spec = _specified(config, root, image, defaults)
    spec.default_pipeline_root = f"{root}/artifacts"
    kubeflow_declarations.add_outputs(spec)
    kubeflow_declarations.draw(spec)
    parameters.take_image_from_run(spec)
    parameters.declare(spec, defaults)
    parameters.pass_down(spec)
    resources.settle(spec, config.kubeflow)
    final_tasks.settle(spec)
    components = resources.executors(spec)
    document.write(out, spec, kubernetes_platform.of(config.kubeflow, components))
    document.read(out)
    return sorted(components)


def _specified(config: Config, root: str, image: str, defaults: dict[str, Any]) -> Any:
    """What TFX makes of the DAG, as a message of KFP's own pipeline spec."""
    at_run = {name: _at_run(name, value) for name, value in defaults.items() if name != IMAGE}
    at = final_tasks.places(root, at_run.pop(DATA))
    given = RunParameters(**at_run)
    nodes = dag.nodes(config, at, fingerprint="", given=given)
    nodes |= final_tasks.nodes(nodes, config, at, given, root)
    pipeline = dag.assembled(config, at, nodes)
    for component in pipeline.components:
        component.with_id(final_tasks.task_name(component.id))
    settings = tfx.orchestration.experimental.KubeflowV2DagRunnerConfig(
        default_image=image, default_commands=_COMMAND, use_pipeline_spec_2_1=True
    )
    runner = tfx.orchestration.experimental.KubeflowV2DagRunner(settings)
    runner.set_exit_handler(final_tasks.exit_handler(pipeline, root))
    job = runner.run(pipeline, write_out=False)
    return document.parsed(job["pipelineSpec"])


def _at_run(name: str, default: str | int) -> tfx.dsl.experimental.RuntimeParameter:
    return tfx.dsl.experimental.RuntimeParameter(name, type(default), default)
