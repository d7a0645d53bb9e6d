"""The compiled document, read and refused as KFP's backend does before it starts anything.

File names in this package are of github.com/kubeflow/pipelines, below backend/src/v2.
"""

import dataclasses
import pathlib
import re
from collections.abc import Mapping
from typing import Any

import yaml
from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2

pb: Any = pipeline_spec_pb2
"""KFP's messages; type checkers do not see them in the generated module."""

ARGO_NAME = re.compile("[a-zA-Z][-a-zA-Z0-9]{0,127}")
"""Argo's `validateWorkflowFieldNames` and `validateDAG`: argoproj/argo-workflows,
workflow/validate/validate.go."""


class Refused(Exception):
    """The backend would not take this document, or this emulator does not know how to run it."""


@dataclasses.dataclass(frozen=True)
class Document:
    """A PipelineSpec and its containers by executor label."""

    spec: Any
    containers: Mapping[str, Any]

    def component(self, task: Any) -> Any:
        """The ComponentSpec that the task names."""
        return self.spec.components[task.component_ref.name]

    def container(self, component: Any) -> Any:
        """The container of a component that is no DAG."""
        return self.containers[component.executor_label]


def read(path: pathlib.Path) -> Document:
    """Raises ParseError on a field that KFP's protos do not have, Refused on what cannot run."""
    first, *platforms = yaml.safe_load_all(path.read_text(encoding="utf-8"))
    spec = json_format.ParseDict(first, pb.PipelineSpec())
    for platform in platforms:
        json_format.ParseDict(platform, pb.PlatformSpec())
    deployment = pb.PipelineDeploymentConfig()
    json_format.ParseDict(json_format.MessageToDict(spec.deployment_spec), deployment)
    document = Document(spec, {k: _container(k, e) for k, e in deployment.executors.items()})
    _check(document, spec.root.dag)
    return document


def _container(label: str, executor: Any) -> Any:
    """Argo's compiler knows no resolver (compiler/argocompiler/dag.go: "resolver executors not
    implemented"); importers, which it knows, no pipeline of ours has.
    """
    kind = executor.WhichOneof("spec")
    if kind != "container":
        raise Refused(f"{label}: expected a container, received {kind}")
    if not executor.container.command:  # component/launcher_v2.go runs command and args alone
        raise Refused(f"{label}: its container has no command, and the image's own is not run")
    return executor.container


def _check(document: Document, dag: Any) -> None:
    """Names that Argo takes, producers that are there, nothing that is not emulated."""
    for name, task in dag.tasks.items():
        component = document.component(task)
        is_dag = component.HasField("dag")
        for argo in [name, task.component_ref.name] if is_dag else [name]:
            if not ARGO_NAME.fullmatch(argo):
                raise Refused(f"{argo}: Argo takes letters, digits and hyphens in a name")
        if task.WhichOneof("iterator") or task.trigger_policy.condition:
            raise Refused(f"{name}: iterators and conditions are not emulated")
        if missing := dependencies(task) - set(dag.tasks):  # argocompiler/dag.go
            raise Refused(f"{name}: unknown producer tasks {sorted(missing)}")
        if is_dag:
            _check(document, component.dag)


def dependencies(task: Any) -> set[str]:
    """Tasks to wait for: said, or implied by an input (compiler/argocompiler/dag.go,
    `addImplicitDependencies`).
    """
    parameters = [p.task_output_parameter for p in task.inputs.parameters.values()]
    artifacts = [a.task_output_artifact for a in task.inputs.artifacts.values()]
    implied = {of.producer_task for of in [*parameters, *artifacts] if of.producer_task}
    return set(task.dependent_tasks) | implied


def is_exit_task(task: Any) -> bool:
    """It runs as a hook of the task that it depends on, however that ends."""
    strategies = pb.PipelineTaskSpec.TriggerPolicy.TriggerStrategy
    return task.trigger_policy.strategy == strategies.Value("ALL_UPSTREAM_TASKS_COMPLETED")
