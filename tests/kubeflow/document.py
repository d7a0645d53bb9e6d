"""The compiled document, read and validated as KFP's backend does before it starts anything.

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


class DocumentRefused(Exception):
    """The backend would reject this document, or this emulator does not support it."""


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
    """Reads a document.

    Raises:
        ParseError: It has a field that KFP's protos do not have.
        DocumentRefused: It cannot run.
    """
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
    """Argo's compiler supports no resolvers (compiler/argocompiler/dag.go: "resolver executors not
    implemented"); importers, which it supports, are not emulated: no pipeline here has one.
    """
    kind = executor.WhichOneof("spec")
    if kind != "container":
        raise DocumentRefused(f"{label}: expected a container, received {kind}")
    if not executor.container.command:  # component/launcher_v2.go runs only command and args
        raise DocumentRefused(
            f"{label}: its container has no command, and the image's own is not run"
        )
    return executor.container


def _check(document: Document, dag: Any) -> None:
    """Requires names that Argo accepts, existing producers, and features that are emulated."""
    for name, task in dag.tasks.items():
        component = document.component(task)
        is_dag = component.HasField("dag")
        for argo in [name, task.component_ref.name] if is_dag else [name]:
            if not ARGO_NAME.fullmatch(argo):
                raise DocumentRefused(f"{argo}: Argo accepts letters, digits and hyphens in a name")
        if task.WhichOneof("iterator") or task.trigger_policy.condition:
            raise DocumentRefused(f"{name}: iterators and conditions are not emulated")
        if missing := dependencies(task) - set(dag.tasks):  # argocompiler/dag.go
            raise DocumentRefused(f"{name}: unknown producer tasks {sorted(missing)}")
        if is_dag:
            _check(document, component.dag)


def dependencies(task: Any) -> set[str]:
    """Tasks to wait for: declared, or implied by an input (compiler/argocompiler/dag.go,
    `addImplicitDependencies`).
    """
    parameters = [p.task_output_parameter for p in task.inputs.parameters.values()]
    artifacts = [a.task_output_artifact for a in task.inputs.artifacts.values()]
    implied = {output.producer_task for output in [*parameters, *artifacts] if output.producer_task}
    return set(task.dependent_tasks) | implied


def is_exit_task(task: Any) -> bool:
    """Whether it runs as a hook after the task that it depends on, also after a failure."""
    strategies = pb.PipelineTaskSpec.TriggerPolicy.TriggerStrategy
    return task.trigger_policy.strategy == strategies.Value("ALL_UPSTREAM_TASKS_COMPLETED")
