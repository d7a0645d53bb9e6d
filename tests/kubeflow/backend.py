"""Runs a compiled document as KFP's backend has Argo do (compiler/argocompiler)."""

import dataclasses
import pathlib
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any

from google.protobuf import json_format, struct_pb2

from tests.kubeflow import document, driver, executions, launcher
from tests.kubeflow.document import Document, Refused, pb
from tests.kubeflow.driver import Names
from tests.kubeflow.executions import Dag, Execution


@dataclasses.dataclass(frozen=True)
class Run:
    """What came of one."""

    id: str
    """The API server's, below which its artifacts lie."""
    workflow: str
    """Argo's name for it."""
    executions: Mapping[str, Execution]
    """Of the containers that were started or cached, by task."""
    succeeded: bool
    """Argo's word: one failed node is a failed run."""

    def ended(self, state: str) -> set[str]:
        """Tasks in that state."""
        return {name for name, e in self.executions.items() if e.state == state}


class Backend:
    """A cluster: its cache, of each pipeline apart (cacheutils/cache.go, `GetExecutionCache`),
    lives as long as it does.
    """

    def __init__(
        self,
        root: str,
        work: pathlib.Path,
        environment: Mapping[str, str] | None = None,
        at_once: int = 2,
        sleep: Callable[[float], None] = time.sleep,
    ):
        """`root` is the pipeline root that runs are started with, which is not read in the document
        (driver/root_dag.go): a URI, or a folder in the place of a bucket, which KFP itself does not
        take. `work` is for the pods' own files, `environment` what the image or a secret of the
        cluster adds.
        """
        self._root = root
        self._work = work
        self._environment = environment or {}
        self._pods = threading.Semaphore(at_once)
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
        the task `broken_driver` fails: ML Metadata hears nothing of that task.
        """
        self._broken_driver = broken_driver
        read = document.read(path)
        self._runs += 1
        root = Dag(read.spec.root.dag, _root_parameters(read.spec.root, parameters or {}), {})
        pipeline = read.spec.pipeline_info.name
        names = Names(self._root, pipeline, f"run-{self._runs}", f"{pipeline}-{self._runs}x7k2", "")
        well = self._run_dag(read, root, names)
        result = root.executions()
        return Run(names.run, names.workflow, result, well)

    def _run_dag(self, read: Document, dag: Dag, names: Names) -> bool:
        """A task waits for the success of those that it depends on; what does not depend on a
        failed one goes on (`depends` in dag.go). True where all succeeded.
        """
        tasks = dag.spec.tasks
        waiting = {n: document.dependencies(t) for n, t in tasks.items()
                   if not document.is_exit_task(t)}  # fmt: skip
        done: dict[str, bool] = {}
        running: dict[Future[bool], str] = {}
        with ThreadPoolExecutor(max_workers=len(tasks)) as pool:
            while True:
                good = {name for name, well in done.items() if well}
                for name in [name for name, needs in waiting.items() if needs <= good]:
                    del waiting[name]
                    running[pool.submit(self._run_task, read, dag, name, names)] = name
                if not running:
                    return not waiting and all(done.values())
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    done[running.pop(future)] = future.result()

    def _run_task(self, read: Document, dag: Dag, name: str, names: Names) -> bool:
        """With it its exit task, a hook in Argo: it runs however the task has ended."""
        well = self._run_one(read, dag, name, dataclasses.replace(names, task=name))
        for other, task in dag.spec.tasks.items():
            if document.is_exit_task(task) and name in task.dependent_tasks:
                well &= self._run_one(read, dag, other, dataclasses.replace(names, task=other))
        return well

    def _run_one(self, read: Document, dag: Dag, name: str, names: Names) -> bool:
        if name == self._broken_driver:
            return False
        task = dag.spec.tasks[name]
        component = read.component(task)
        inputs = driver.inputs(task, component, dag, names)
        if component.HasField("dag"):
            sub = Dag(component.dag, dict(inputs.parameter_values), _first(inputs.artifacts), dag)
            _fill(component, sub.parameters)
            dag.tasks[name] = sub
            return self._run_dag(read, sub, names)
        execution = self._run_container(read, task, inputs, names)
        dag.tasks[name] = execution
        if execution.state in (executions.COMPLETE, executions.FAILED):  # by its launcher
            dag.update_state()
        return execution.state in executions.SUCCEEDED

    def _run_container(self, read: Document, task: Any, inputs: Any, names: Names) -> Execution:
        component = read.component(task)
        container = read.container(component)
        local = self._work / names.run / names.task
        outputs = driver.outputs(component, names, str(local))
        executor_input = pb.ExecutorInput(inputs=inputs, outputs=outputs)
        key = (names.pipeline, driver.fingerprint(executor_input, component, container))
        if task.caching_options.enable_cache and key in self._cache:
            return dataclasses.replace(self._cache[key], state=executions.CACHED, attempts=0)
        execution = self._attempted(task, container, component, executor_input, local)
        if task.caching_options.enable_cache and execution.state == executions.COMPLETE:
            self._cache[key] = execution
        return execution

    def _attempted(
        self, task: Any, container: Any, component: Any, executor_input: Any, local: pathlib.Path
    ) -> Execution:
        """Argo's retryStrategy (compiler/argocompiler/container.go,
        `getTaskRetryStrategyFromInput`): the same ExecutorInput, and so the same output URIs, in a
        new pod, which is told its number (`retryIndexEnv` in common.go beside it).
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


def _first(artifacts: Any) -> dict[str, Any]:
    return {name: listed.artifacts[0] for name, listed in artifacts.items()}


def _root_parameters(root: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the run, and defaults for the others (argo.go, `Compile`)."""
    if unknown := set(given) - set(root.input_definitions.parameters):
        raise Refused(f"unknown parameters {sorted(unknown)}")
    values = {name: json_format.ParseDict(v, struct_pb2.Value()) for name, v in given.items()}
    _fill(root, values)
    return values


def _fill(component: Any, values: dict[str, Any]) -> None:
    """A DAG's parameters that are not given: their default, or null where they are optional."""
    for name, spec in component.input_definitions.parameters.items():
        if name in values:
            continue
        if not (spec.HasField("default_value") or spec.is_optional):
            raise Refused(f"neither value nor default for parameter {name!r}")
        values[name] = struct_pb2.Value(null_value=struct_pb2.NULL_VALUE)
        if spec.HasField("default_value"):
            values[name] = spec.default_value
