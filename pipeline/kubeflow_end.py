"""What a run on Kubeflow has at its end, and `tandem run` has no need of: a gate and an exit
handler.
"""

import json
from collections.abc import Mapping
from typing import Any

from tfx import v1 as tfx
from tfx.dsl.components.base.base_node import BaseNode
from tfx.orchestration.kubeflow.decorators import FinalStatusStr

from components.kubeflow import push_gate
from components.kubeflow.push_gate import PushGate
from components.kubeflow.run_end import Upstream
from components.run_verdict import RunVerdict
from pipeline import kubeflow_parameters

_RUN_ID = "{{$.pipeline_job_uuid}}"
"""KFP puts in the run's ID (backend/src/v2/driver/resolve.go, `resolveInputParameter`)."""
NEVER_CACHED = {push_gate.NAME}


def nodes(before: Mapping[str, BaseNode]) -> dict[str, BaseNode]:
    """What comes after those of `dag.nodes`."""
    gate = PushGate(pushed=before["pusher"].outputs["pushed"])
    gate.add_upstream_node(before["analysis"])
    return {"push_gate": gate}


def exit_handler(pipeline: tfx.dsl.Pipeline, root: str) -> Any:
    """RunVerdict, told what the pipeline's tasks wait for."""
    upstream: Upstream = {
        node.id: sorted(each.id for each in node.upstream_nodes) for node in pipeline.components
    }
    return RunVerdict(
        final_status=FinalStatusStr(),
        run=_RUN_ID,
        tasks=json.dumps(upstream),
        never_cached=json.dumps(sorted(NEVER_CACHED)),
        folder=f"{root}/verdicts",
    )


def settle(spec: Any) -> None:
    """Whatever the configuration says: what has to run each time does, and is not tried again, for
    it would fail again.
    """
    for task in kubeflow_parameters.tasks(spec):
        if task.component_ref.name in NEVER_CACHED:
            task.caching_options.enable_cache = False
            task.ClearField("retry_policy")
