"""A component's declaration of its outputs in its task's command, where TFX puts that of the inputs
alone.
"""

from typing import Any

from google.protobuf import json_format

from components.kubeflow_task import OUTPUTS_FLAG


def add_outputs(spec: Any) -> None:
    """Appends it to the command of each container."""
    executors = spec.deployment_spec["executors"]
    for component in spec.components.values():
        if component.executor_label:
            declared = json_format.MessageToJson(component.output_definitions, sort_keys=True)
            executors[component.executor_label]["container"]["args"].extend(
                [OUTPUTS_FLAG, declared]
            )
