"""TFX's local runner, one node after the other, telling what happens."""

import datetime
import time
from collections.abc import Callable

from tfx.dsl.compiler import constants
from tfx.orchestration import metadata
from tfx.orchestration.local import runner_utils
from tfx.orchestration.portable import launcher, runtime_parameter_utils, tfx_runner
from tfx.proto.orchestration import pipeline_pb2


class LocalRunner(tfx_runner.IrBasedRunner):
    """As `tfx.orchestration.local.LocalDagRunner`, which offers no place to listen."""

    def __init__(self, started: Callable[[str], None], finished: Callable[[str, float], None]):
        """`started(node)` before each node, `finished(node, seconds)` after it."""
        self._started = started
        self._finished = finished

    def run_with_ir(
        self, pipeline: pipeline_pb2.Pipeline, run_options: pipeline_pb2.RunOptions | None = None
    ) -> None:
        """Runs the compiled pipeline; the first failure ends it and is raised as it came."""
        runtime_parameter_utils.substitute_runtime_parameter(
            pipeline,
            {constants.PIPELINE_RUN_ID_PARAMETER_NAME: datetime.datetime.now().isoformat()},
        )
        deployment = runner_utils.extract_local_deployment_config(pipeline)
        for node in pipeline.nodes:
            name = node.pipeline_node.node_info.id
            self._started(name)
            begin = time.perf_counter()
            self.launch(name, _launcher(pipeline, node.pipeline_node, deployment).launch)
            self._finished(name, time.perf_counter() - begin)

    def launch(self, name: str, node: Callable[[], object]) -> None:
        """Runs the node of that name; `benchmarks.memory` does it in a process of its own."""
        node()


def _launcher(
    pipeline: pipeline_pb2.Pipeline,
    node: pipeline_pb2.PipelineNode,
    deployment: pipeline_pb2.IntermediateDeploymentConfig,
) -> launcher.Launcher:
    name = node.node_info.id
    connection = deployment.metadata_connection_config
    return launcher.Launcher(
        pipeline_node=node,
        mlmd_connection=metadata.Metadata(
            getattr(connection, connection.WhichOneof("connection_config"))
        ),
        pipeline_info=pipeline.pipeline_info,
        pipeline_runtime_spec=pipeline.runtime_spec,
        executor_spec=runner_utils.extract_executor_spec(deployment, name),
        custom_driver_spec=runner_utils.extract_custom_driver_spec(deployment, name),
    )
