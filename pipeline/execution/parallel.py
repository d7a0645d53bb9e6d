"""Runs nodes of a compiled DAG at the same time, each in its own process."""

import dataclasses
import logging
import pathlib
import time
from multiprocessing import connection

from tfx.orchestration.portable import tfx_runner
from tfx.proto.orchestration import pipeline_pb2

from pipeline.execution.node_process import NodeProcess, NodeRequest
from pipeline.execution.sequential import OnFinish, OnStart, start_run

_progress = logging.getLogger("tandem.progress")


class ParallelRunner(tfx_runner.IrBasedRunner):
    """Starts each node when the nodes that it depends on have finished.

    After a failure no further node starts, and those that are running finish, so that they are
    cached; then the first failure is raised unchanged.
    """

    def __init__(self, limit: int, log: pathlib.Path, on_start: OnStart, on_finish: OnFinish):
        """At most `limit` nodes run at once; their output is appended to `log`. The callbacks are
        called as by `SequentialRunner`; progress records have the node's name as `stage`.
        """
        self._limit = limit
        self._log = log
        self._on_start = on_start
        self._on_finish = on_finish

    def run_with_ir(
        self, pipeline: pipeline_pb2.Pipeline, run_options: pipeline_pb2.RunOptions | None = None
    ) -> None:
        """Runs the compiled pipeline."""
        start_run(pipeline)
        plan, running = NodePlan.build(pipeline), RunningNodes(pipeline, self._log)
        try:
            self._start(plan, running)
            while running:
                for name, seconds in running.wait():
                    plan.finished.add(name)
                    self._on_finish(name, seconds)
                self._start(plan, running)
        finally:
            running.stop()
        if running.failure is not None:
            raise running.failure

    def _start(self, plan: "NodePlan", running: "RunningNodes") -> None:
        """Starts as many nodes as can run now."""
        while running.failure is None and len(running) < self._limit:
            name = plan.pop_ready()
            if name is None:
                return
            self._on_start(name)
            running.start(name)


@dataclasses.dataclass
class NodePlan:
    """The nodes that have not started, in the order of the DAG, and those that have finished."""

    waiting: dict[str, set[str]]
    """Node -> the nodes that must have finished before it starts."""
    finished: set[str] = dataclasses.field(default_factory=set)

    @classmethod
    def build(cls, pipeline: pipeline_pb2.Pipeline) -> "NodePlan":
        """The plan of the compiled pipeline. Its last node, which pushes, waits for all others:
        a run that fails pushes nothing.
        """
        nodes = [node.pipeline_node for node in pipeline.nodes]
        waiting = {node.node_info.id: set(node.upstream_nodes) for node in nodes}
        *others, last = waiting
        waiting[last] = set(others)
        return cls(waiting)

    def pop_ready(self) -> str | None:
        """Removes and returns the first node that can start; None if there is none."""
        for name, needed in self.waiting.items():
            if needed <= self.finished:
                del self.waiting[name]
                return name
        return None


class RunningNodes:
    """The processes of the nodes that are running."""

    def __init__(self, pipeline: pipeline_pb2.Pipeline, log: pathlib.Path) -> None:
        self.failure: Exception | None = None
        """The first exception of a node."""
        self._pipeline = pipeline
        self._log = log
        self._started: dict[NodeProcess, float] = {}

    def __len__(self) -> int:
        """Number of nodes that are running."""
        return len(self._started)

    def start(self, name: str) -> None:
        """Starts the node with this name."""
        process = NodeProcess(NodeRequest(name, self._pipeline, str(self._log)))
        self._started[process] = time.perf_counter()

    def wait(self) -> list[tuple[str, float]]:
        """Waits for a message, and handles progress; returns the nodes that have succeeded, and
        how many seconds they took.
        """
        readable = connection.wait([process.connection for process in self._started])
        finished = []
        for process in [p for p in self._started if p.connection in readable]:
            message = process.receive()
            if isinstance(message, logging.LogRecord):
                _progress.handle(message)
                continue
            seconds = time.perf_counter() - self._started.pop(process)
            if message is None:
                finished.append((process.name, seconds))
            else:
                self.failure = self.failure or message
        return finished

    def stop(self) -> None:
        """Kills the processes that are still running."""
        for process in self._started:
            process.stop()
