"""Runs a compiled document as KFP's backend does with Argo (compiler/argocompiler)."""

import dataclasses
import pathlib
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any

from google.protobuf import json_format, struct_pb2

from tests.kubeflow import document, driver, executions, launcher
from tests.kubeflow.document import Document, DocumentRefused, pb
from tests.kubeflow.driver import Names
from tests.kubeflow.executions import Dag, Execution


@dataclasses.dataclass(frozen=True)
class Run:
    """The result of one run."""

    id: str
    """The API server's id, which is part of the artifacts' URIs."""
    workflow: str
    """Argo's name of the run."""
    executions: Mapping[str, Execution]
    """Executions of the containers that were started or cached, by task."""
    succeeded: bool
    """Argo's result: one failed node fails the run."""

    def tasks_in(self, state: str) -> set[str]:
        """Names of the tasks in this state."""
        return {name for name, e in self.executions.items() if e.state == state}


class Backend:
    """A cluster. Its cache, separate for each pipeline (cacheutils/cache.go, `GetExecutionCache`),
    lives as long as the object.
    """

    def __init__(
        self,
        root: str,
        work: pathlib.Path,
        environment: Mapping[str, str] | None = None,
        max_pods: int = 2,
        sleep: Callable[[float], None] = time.sleep,
    ):
        """A cluster without previous runs.

        Args:
            root: The pipeline root that runs are started with, which is not read from the document
                (driver/root_dag.go): a URI, or a folder instead of a bucket, which KFP itself does
                not accept.
            work: A folder for the pods' own files.
            environment: Variables that the image or a secret of the cluster adds.
            max_pods: The number of containers that run at the same time.
            sleep: Waits the given number of seconds before a retry.
        """
        self._root = root
        self._work = work
        self._environment = environment or {}
        self._pods = threading.Semaphore(max_pods)
        self._sleep = sleep
        self._cache: dict[tuple[str, str], Execution] = {}
        self._runs = 0
        self._broken_driver = ""

    def run(
        self,
        path: pathlib.Path,
        parameters: Mapping[str, Any] | None = None,
        broken_driver: str = "",
    ) -> Run:
        """Runs the document at `path` with these values of its run-time parameters. The driver of
        the task `broken_driver` fails: ML Metadata has no record of that task.
        """
        self._broken_driver = broken_driver
        compiled = document.read(path)
        self._runs += 1
        root = Dag(
            compiled.spec.root.dag,
            _root_parameters(compiled.spec.root, parameters or {}),
            {},
        )
        pipeline = compiled.spec.pipeline_info.name
        names = Names(self._root, pipeline, f"run-{self._runs}", f"{pipeline}-{self._runs}x7k2", "")
        succeeded = self._run_dag(compiled, root, names)
        return Run(names.run, names.workflow, root.executions(), succeeded)

    def _run_dag(self, compiled: Document, dag: Dag, names: Names) -> bool:
        """A task waits until the tasks that it depends on have succeeded; tasks that do not depend
        on a failed one still run (`depends` in dag.go). Returns whether all succeeded.
        """
        tasks = dag.spec.tasks
        waiting = {n: document.dependencies(t) for n, t in tasks.items()
                   if not document.is_exit_task(t)}  # fmt: skip
        results: dict[str, bool] = {}
        running: dict[Future[bool], str] = {}
        with ThreadPoolExecutor(max_workers=len(tasks)) as pool:
            while True:
                succeeded = {name for name, success in results.items() if success}
                for name in [name for name, needs in waiting.items() if needs <= succeeded]:
                    del waiting[name]
                    running[pool.submit(self._run_task, compiled, dag, name, names)] = name
                if not running:
                    return not waiting and all(results.values())
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    results[running.pop(future)] = future.result()

    def _run_task(self, compiled: Document, dag: Dag, name: str, names: Names) -> bool:
        """Also runs its exit task, a hook in Argo, whether the task has succeeded or failed."""
        succeeded = self._run_one(compiled, dag, name, dataclasses.replace(names, task=name))
        for other, task in dag.spec.tasks.items():
            if document.is_exit_task(task) and name in task.dependent_tasks:
                other_names = dataclasses.replace(names, task=other)
                succeeded &= self._run_one(compiled, dag, other, other_names)
        return succeeded

    def _run_one(self, compiled: Document, dag: Dag, name: str, names: Names) -> bool:
        if name == self._broken_driver:
            return False
        task = dag.spec.tasks[name]
        component = compiled.component(task)
        inputs = driver.inputs(task, component, dag, names)
        if component.HasField("dag"):
            sub = Dag(
                component.dag,
                dict(inputs.parameter_values),
                _get_first_artifacts(inputs.artifacts),
                dag,
            )
            _fill(component, sub.parameters)
            dag.tasks[name] = sub
            return self._run_dag(compiled, sub, names)
        execution = self._run_container(compiled, task, inputs, names)
        dag.tasks[name] = execution
        if execution.state in (executions.COMPLETE, executions.FAILED):  # by its launcher
            dag.update_state()
        return execution.state in executions.SUCCEEDED

    def _run_container(self, compiled: Document, task: Any, inputs: Any, names: Names) -> Execution:
        component = compiled.component(task)
        container = compiled.container(component)
        local = self._work / names.run / names.task
        outputs = driver.outputs(component, names, str(local))
        executor_input = pb.ExecutorInput(inputs=inputs, outputs=outputs)
        key = (names.pipeline, driver.fingerprint(executor_input, component, container))
        if task.caching_options.enable_cache and key in self._cache:
            return dataclasses.replace(self._cache[key], state=executions.CACHED, attempts=0)
        execution = self._run_attempts(task, container, component, executor_input, local)
        if task.caching_options.enable_cache and execution.state == executions.COMPLETE:
            self._cache[key] = execution
        return execution

    def _run_attempts(
        self, task: Any, container: Any, component: Any, executor_input: Any, local: pathlib.Path
    ) -> Execution:
        """Argo's retryStrategy (compiler/argocompiler/container.go,
        `getTaskRetryStrategyFromInput`): the same ExecutorInput, with the same output URIs, in a
        new pod, which receives the attempt's number (`retryIndexEnv` in common.go).
        """
        policy = task.retry_policy
        attempt = 0
        while True:
            with self._pods:
                execution = launcher.launch(
                    container, component, executor_input, local, self._environment, attempt
                )
            attempt += 1
            execution.attempts = attempt
            if execution.state == executions.COMPLETE or attempt > policy.max_retry_count:
                return execution
            seconds = policy.backoff_duration.seconds * policy.backoff_factor ** (attempt - 1)
            self._sleep(min(seconds, policy.backoff_max_duration.seconds or seconds))


def _get_first_artifacts(artifacts: Any) -> dict[str, Any]:
    return {name: listed.artifacts[0] for name, listed in artifacts.items()}


def _root_parameters(root: Any, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Values of the run's parameters, with defaults for the others (argo.go, `Compile`)."""
    if unknown := set(parameters) - set(root.input_definitions.parameters):
        raise DocumentRefused(f"unknown parameters {sorted(unknown)}")
    values = {name: json_format.ParseDict(v, struct_pb2.Value()) for name, v in parameters.items()}
    _fill(root, values)
    return values


def _fill(component: Any, values: dict[str, Any]) -> None:
    """Fills in a DAG's missing parameters: their default, or null if they are optional."""
    for name, spec in component.input_definitions.parameters.items():
        if name in values:
            continue
        if not (spec.HasField("default_value") or spec.is_optional):
            raise DocumentRefused(f"neither value nor default for parameter {name!r}")
        values[name] = struct_pb2.Value(null_value=struct_pb2.NULL_VALUE)
        if spec.HasField("default_value"):
            values[name] = spec.default_value
