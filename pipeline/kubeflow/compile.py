"""Compiles the DAG to a Kubeflow Pipelines v2 document, without a cluster or cloud."""

import dataclasses
import pathlib
from typing import Any

from google.protobuf import json_format
from tfx import v1 as tfx

from components.artifacts.types import Metrics, Page, Words
from components.kubeflow.task_entrypoint import OUTPUTS_FLAG
from pipeline import dag
from pipeline.config.config import Config
from pipeline.config.run_parameters import RunParameters
from pipeline.kubeflow.document import (
    parse_spec,
    read_document,
    require_yaml_suffix,
    write_document,
)
from pipeline.kubeflow.final_tasks import (
    build_exit_handler,
    build_final_nodes,
    build_task_locations,
    configure_final_tasks,
    format_task_name,
)
from pipeline.kubeflow.parameters import (
    IMAGE,
    declare_parameters,
    parameterize_image,
    pass_parameters,
)
from pipeline.kubeflow.resources import (
    build_platform,
    configure_tasks,
    map_executors,
    set_environment,
)
from trainer.config.deterministic import get_environment

DATA = "data"
"""The run parameter for the folder or URL that the tables' paths start from."""
_COMMAND = ["python", "-m", "components.kubeflow.task_entrypoint"]
_DISPLAY_TYPES = {Metrics: "system.Metrics", Page: "system.HTML", Words: "system.Markdown"}
"""Schema titles of artifacts that KFP's user interface displays, on a run's page and when it
compares runs: frontend/src/components/viewers, MetricsVisualizations.tsx."""


def compile_pipeline(
    out: pathlib.Path, config: Config, image: str, data: str, root: str
) -> list[str]:
    """Writes the YAML to `out`, and validates it against KFP's own messages.

    The input's content is unknown at compile time, so the cache key of ingestion is the location of
    the data.

    Args:
        out: File to write, with the suffix .yaml or .yml.
        config: The pipeline's configuration.
        image: Container image of the tasks, the default of the run parameter `image`.
        data: Folder or URL of the data as tasks see it, the default of the run parameter `data`.
        root: Folder or URL of the outputs as tasks see it.

    Returns:
        Names of the components that run as tasks, sorted.
    """
    require_yaml_suffix(out)
    defaults = dataclasses.asdict(RunParameters.build(config)) | {DATA: data, IMAGE: image}
    spec = _build_spec(config, root, image, defaults)
    spec.default_pipeline_root = f"{root}/artifacts"
    declare_outputs(spec)
    set_display_types(spec)
    parameterize_image(spec)
    declare_parameters(spec, defaults)
    pass_parameters(spec)
    configure_tasks(spec, config.kubeflow)
    configure_final_tasks(spec)
    components = map_executors(spec)
    set_environment(spec, get_environment(config.trainer))
    write_document(out, spec, build_platform(config.kubeflow, components))
    read_document(out)
    return sorted(components)


def _build_spec(config: Config, root: str, image: str, defaults: dict[str, Any]) -> Any:
    """The DAG as TFX compiles it, as a message of KFP's pipeline spec."""
    runtime_parameters = {
        name: _create_runtime_parameter(name, value)
        for name, value in defaults.items()
        if name != IMAGE
    }
    locations = build_task_locations(root, runtime_parameters.pop(DATA))
    parameters = RunParameters(**runtime_parameters)
    nodes = dag.build_nodes(config, locations, fingerprint="", parameters=parameters)
    nodes |= build_final_nodes(nodes, config, locations, parameters, root)
    pipeline = dag.assemble_pipeline(config, locations, nodes)
    for component in pipeline.components:
        component.with_id(format_task_name(component.id))
    settings = tfx.orchestration.experimental.KubeflowV2DagRunnerConfig(
        default_image=image, default_commands=_COMMAND, use_pipeline_spec_2_1=True
    )
    runner = tfx.orchestration.experimental.KubeflowV2DagRunner(settings)
    runner.set_exit_handler(build_exit_handler(pipeline, root))
    job = runner.run(pipeline, write_out=False)
    return parse_spec(job["pipelineSpec"])


def _create_runtime_parameter(
    name: str, default: str | int
) -> tfx.dsl.experimental.RuntimeParameter:
    return tfx.dsl.experimental.RuntimeParameter(name, type(default), default)


def declare_outputs(spec: Any) -> None:
    """Appends the declaration of a component's outputs to the command of its container; TFX only
    adds that of the inputs.
    """
    executors = spec.deployment_spec["executors"]
    for component in spec.components.values():
        if component.executor_label:
            declared = json_format.MessageToJson(component.output_definitions, sort_keys=True)
            executors[component.executor_label]["container"]["args"].extend(
                [OUTPUTS_FLAG, declared]
            )


def set_display_types(spec: Any) -> None:
    """Sets the types by which KFP displays an output on a run's page. Tasks still see the types
    that `declare_outputs` has written.
    """
    titles = {f"title: {kind.TYPE_NAME}": title for kind, title in _DISPLAY_TYPES.items()}
    for component in spec.components.values():
        for output in component.output_definitions.artifacts.values():
            first = output.artifact_type.instance_schema.partition("\n")[0]
            if first in titles:
                output.artifact_type.schema_title = titles[first]
                output.artifact_type.schema_version = "0.0.1"
