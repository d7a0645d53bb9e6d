"""Runs the nodes of a compiled DAG one after another, in this process."""

import datetime
import functools
import time
from collections.abc import Callable

from tfx.dsl.compiler import constants
from tfx.orchestration.local import runner_utils
from tfx.orchestration.portable import launcher, runtime_parameter_utils, tfx_runner
from tfx.proto.orchestration import pipeline_pb2

from pipeline.execution.locked_metadata import LockedMetadata

OnStart = Callable[[str], None]
OnFinish = Callable[[str, float], None]


class SequentialRunner(tfx_runner.IrBasedRunner):
    """Like `tfx.orchestration.local.LocalDagRunner`, with callbacks around each node."""

    def __init__(self, on_start: OnStart, on_finish: OnFinish):
        """Calls `on_start(node)` before each node and `on_finish(node, seconds)` after it."""
        self._on_start = on_start
        self._on_finish = on_finish

    def run_with_ir(
        self, pipeline: pipeline_pb2.Pipeline, run_options: pipeline_pb2.RunOptions | None = None
    ) -> None:
        """Runs the compiled pipeline; the first failure ends it and is raised unchanged."""
        start_run(pipeline)
        for node in pipeline.nodes:
            name = node.pipeline_node.node_info.id
            self._on_start(name)
            start = time.perf_counter()
            self.launch(name, functools.partial(launch_node, pipeline, name))
            self._on_finish(name, time.perf_counter() - start)

    def launch(self, name: str, node: Callable[[], object]) -> None:
        """Runs `node`; `benchmarks.memory` overrides this to run each node in its own process."""
        node()


def start_run(pipeline: pipeline_pb2.Pipeline) -> None:
    """Gives the compiled pipeline the identity of a new run."""
    runtime_parameter_utils.substitute_runtime_parameter(
        pipeline,
        {constants.PIPELINE_RUN_ID_PARAMETER_NAME: datetime.datetime.now().isoformat()},
    )


def launch_node(pipeline: pipeline_pb2.Pipeline, name: str) -> None:
    """Runs the node of the started `pipeline` with this name in this process."""
    deployment = runner_utils.extract_local_deployment_config(pipeline)
    node = next(n.pipeline_node for n in pipeline.nodes if n.pipeline_node.node_info.id == name)
    connection = deployment.metadata_connection_config
    launcher.Launcher(
        pipeline_node=node,
        mlmd_connection=LockedMetadata(
            getattr(connection, connection.WhichOneof("connection_config"))
        ),
        pipeline_info=pipeline.pipeline_info,
        pipeline_runtime_spec=pipeline.runtime_spec,
        executor_spec=runner_utils.extract_executor_spec(deployment, name),
        custom_driver_spec=runner_utils.extract_custom_driver_spec(deployment, name),
    ).launch()
