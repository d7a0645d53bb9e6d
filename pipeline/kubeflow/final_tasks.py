"""Tasks at the end of a run that only Kubeflow needs: the report, the push gate and the exit
handler.
"""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from tfx import v1 as tfx
from tfx.dsl.components.base.base_node import BaseNode
from tfx.orchestration.kubeflow.decorators import FinalStatusStr

from components.kubeflow import push_gate
from components.kubeflow.push_gate import PushGate
from components.kubeflow.run_end import Upstream
from components.kubeflow.task_entrypoint import TASK_FOLDER
from components.run_verdict import RunVerdict
from pipeline.config.config import Config
from pipeline.config.run_parameters import RunLocations, RunParameters, Text
from pipeline.kubeflow import run_report
from pipeline.kubeflow.parameters import iterate_tasks
from pipeline.kubeflow.run_report import RunReport

_RUN_ID = "{{$.pipeline_job_uuid}}"
"""KFP inserts the run's ID (backend/src/v2/driver/resolve.go, `resolveInputParameter`)."""
NEVER_CACHED = {push_gate.NAME, run_report.NAME}
"""Tasks that run each time."""


def build_task_locations(root: str, data: Text) -> RunLocations:
    """Locations for tasks. Files that the root shows of the latest run only are written below each
    task's own folder, from which the report copies them, so that concurrent runs do not mix.
    Checkpoints are shared with later runs.
    """
    own = {name: f"{TASK_FOLDER}/{name}" for name in ("rejected", "statistics", "tensorboard")}
    return dataclasses.replace(RunLocations.build(root, data), **own)


def build_final_nodes(
    nodes: Mapping[str, BaseNode],
    config: Config,
    locations: RunLocations,
    parameters: RunParameters,
    root: str,
) -> dict[str, BaseNode]:
    """Report and push gate, which run after the nodes of the DAG.

    Args:
        nodes: The nodes of `dag.build_nodes`, by role.
        config: The pipeline's configuration.
        locations: Locations of the tasks.
        parameters: The run's parameters.
        root: Folder or URL of the outputs.
    """
    report = _build_report(nodes, config, locations, parameters, root)
    gate = PushGate(pushed=nodes["pusher"].outputs["pushed"])
    gate.add_upstream_node(report)
    return {"run_report": report, "push_gate": gate}


def _build_report(
    nodes: Mapping[str, BaseNode],
    config: Config,
    locations: RunLocations,
    parameters: RunParameters,
    root: str,
) -> BaseNode:
    def get_output(node: str, key: str) -> Any:
        return nodes[node].outputs[key]

    return RunReport(
        examples=get_output("interactions", "examples"),
        histories=get_output("interactions", "histories"),
        items=get_output("items", "examples"),
        passed=get_output("gate", "passed"),
        retrieval=get_output("retrieval", "model"),
        candidates=get_output("retrieval", "candidates"),
        index=get_output("index", "index"),
        ranking=get_output("ranking", "model"),
        analysis=get_output("analysis", "analysis"),
        evaluation_result=get_output("evaluator", "evaluation_result"),
        servables=get_output("recommender", "servables"),
        pushed=get_output("pusher", "pushed"),
        config=config.model_dump_json(),
        data_dir=locations.data,
        **dataclasses.asdict(parameters),
        root=root,
        tasks=json.dumps([format_task_name(node.id) for node in nodes.values()]),
    )


def format_task_name(component: str) -> str:
    """The name of a component's task. Argo, which runs KFP's tasks, accepts only letters, digits
    and dashes (argo-workflows, workflow/validate).
    """
    return component.replace(".", "-")


def build_exit_handler(pipeline: tfx.dsl.Pipeline, root: str) -> Any:
    """RunVerdict, which receives the upstream tasks of each task."""
    upstream: Upstream = {
        node.id: sorted(each.id for each in node.upstream_nodes) for node in pipeline.components
    }
    return RunVerdict(
        final_status=FinalStatusStr(),
        run=_RUN_ID,
        tasks=json.dumps(upstream),
        never_cached=json.dumps(sorted(NEVER_CACHED)),
        root=root,
    )


def configure_final_tasks(spec: Any) -> None:
    """Disables the cache of NEVER_CACHED and retries of the push gate, regardless of the
    configuration.
    """
    for task in iterate_tasks(spec):
        if task.component_ref.name in NEVER_CACHED:
            task.caching_options.enable_cache = False
        if task.component_ref.name == push_gate.NAME:
            task.ClearField("retry_policy")
