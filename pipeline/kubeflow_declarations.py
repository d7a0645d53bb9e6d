"""What a document says of components' outputs: to the task, in its command, where TFX puts the
declaration of the inputs alone; and to KFP, which draws some types of its own on a run's page.
"""

from typing import Any

from google.protobuf import json_format

from components.artifacts.types import Metrics, Page, Words
from components.kubeflow.task_entrypoint import OUTPUTS_FLAG

_DRAWN = {Metrics: "system.Metrics", Page: "system.HTML", Words: "system.Markdown"}
"""Schema titles that KFP's user interface draws: frontend/src/components/viewers,
MetricsVisualizations.tsx, and its page that compares runs."""


def add_outputs(spec: Any) -> None:
    """Appends it to the command of each container."""
    executors = spec.deployment_spec["executors"]
    for component in spec.components.values():
        if component.executor_label:
            declared = json_format.MessageToJson(component.output_definitions, sort_keys=True)
            executors[component.executor_label]["container"]["args"].extend(
                [OUTPUTS_FLAG, declared]
            )


def draw(spec: Any) -> None:
    """Gives the outputs that KFP draws the types by which it does; to their tasks they stay what
    `add_outputs` has written.
    """
    titles = {f"title: {kind.TYPE_NAME}": title for kind, title in _DRAWN.items()}
    for component in spec.components.values():
        for output in component.output_definitions.artifacts.values():
            first = output.artifact_type.instance_schema.partition("\n")[0]
            if first in titles:
                output.artifact_type.schema_title = titles[first]
                output.artifact_type.schema_version = "0.0.1"
