"""Reads earlier executions from ML Metadata: the latest of each node, and the statistics that the
data gate compares with, which no TFX resolver selects.
"""

import dataclasses
import pathlib
from collections.abc import Mapping
from typing import Protocol

from ml_metadata import metadata_store
from ml_metadata.proto import metadata_store_pb2 as mlmd
from tfx.dsl.io import fileio
from tfx.orchestration import metadata as tfx_metadata
from tfx.orchestration.portable.mlmd import event_lib, execution_lib
from tfx.types import Artifact, artifact_utils

from pipeline.config.config import TABLES

GATE_NODE = "DataGate"
PUSHER_NODE = "Pusher"
_RUN_CONTEXT = "pipeline_run"  # TFX's type of the context of one run


@dataclasses.dataclass(frozen=True)
class NodeRun:
    """The latest finished execution of one node."""

    execution_id: int
    cached: bool
    outputs: dict[str, Artifact]
    """Output artifacts by key."""


class LatestRuns(Protocol):
    """A source of the outputs of a run."""

    def find_latest_run(self, node: str) -> NodeRun | None:
        """The latest finished execution of `node`; None if it has never finished."""
        ...


class RunMetadata:
    """Reads the SQLite metadata store of one root."""

    def __init__(self, path: pathlib.Path, pipeline_name: str):
        self._pipeline = pipeline_name
        config = tfx_metadata.sqlite_metadata_connection_config(str(path))
        self._store = metadata_store.MetadataStore(config)

    def find_latest_run(self, node: str) -> NodeRun | None:
        """The latest finished execution of `node`; None if it has never finished."""
        finished = self._list_finished(node)
        if not finished:
            return None
        last = max(finished, key=lambda execution: execution.id)
        return NodeRun(
            execution_id=last.id,
            cached=last.last_known_state == mlmd.Execution.CACHED,
            outputs=self._read_outputs(last.id),
        )

    def count_executions(self, node: str) -> int:
        """Number of successful executions of the node that did not come from the cache."""
        states = [execution.last_known_state for execution in self._list_finished(node)]
        return len(states) - states.count(mlmd.Execution.CACHED)

    def _list_finished(self, node: str) -> list[mlmd.Execution]:
        context = self._store.get_context_by_type_and_name("node", f"{self._pipeline}.{node}")
        if context is None:
            return []
        return [
            execution
            for execution in self._store.get_executions_by_context(context.id)
            if execution_lib.is_execution_successful(execution)
        ]

    def _read_outputs(self, execution_id: int) -> dict[str, Artifact]:
        outputs = {}
        for event in self._store.get_events_by_execution_ids([execution_id]):
            if event_lib.is_valid_output_event(event):
                (artifact,) = self._store.get_artifacts_by_id([event.artifact_id])
                (kind,) = self._store.get_artifact_types_by_id([artifact.type_id])
                key = next(step.key for step in event.path.steps if step.HasField("key"))
                outputs[key] = artifact_utils.deserialize_artifact(kind, artifact)
        return outputs


def find_previous_statistics(
    connection: mlmd.ConnectionConfig, pipeline: str, fingerprint: str
) -> dict[str, str]:
    """URI of the previous data's statistics by table, "" for each table if there are none.

    The previous data are the latest that passed the gate, whose run pushed its models, and which
    have a fingerprint other than `fingerprint`, that of this run's input: a run on unchanged data
    compares with the same statistics as before, and so stays cached. While no run has pushed, the
    latest data that passed the gate count.
    """
    store = metadata_store.MetadataStore(connection)
    passed = _list_passed_executions(store, f"{pipeline}.{GATE_NODE}")
    pushed = _list_pushed_runs(store, pipeline)
    in_pushed = [each for each in passed if _find_runs(store, each.id) & pushed]
    for execution in (*in_pushed, *passed):
        if execution.custom_properties["fingerprint"].string_value != fingerprint:
            uris = _find_statistics(store, execution.id)
            # The user may have deleted the artifacts to free space.
            if all(fileio.exists(uri) for uri in uris.values()):
                return uris
    return dict.fromkeys(TABLES, "")


def build_connection_config(path: str) -> mlmd.ConnectionConfig:
    """Connection to the SQLite file at `path`."""
    return tfx_metadata.sqlite_metadata_connection_config(path)


def _list_passed_executions(store: metadata_store.MetadataStore, node: str) -> list[mlmd.Execution]:
    """Successful executions, cached ones included, latest first."""
    context = store.get_context_by_type_and_name("node", node)
    if context is None:
        return []
    executions = store.get_executions_by_context(context.id)
    passed = filter(execution_lib.is_execution_successful, executions)
    return sorted(passed, key=lambda execution: -execution.id)


def _list_pushed_runs(store: metadata_store.MetadataStore, pipeline: str) -> set[int]:
    """The contexts of the runs whose Pusher succeeded."""
    pushers = _list_passed_executions(store, f"{pipeline}.{PUSHER_NODE}")
    return {run for each in pushers for run in _find_runs(store, each.id)}


def _find_runs(store: metadata_store.MetadataStore, execution_id: int) -> set[int]:
    """The contexts of the runs that an execution belongs to."""
    contexts = store.get_contexts_by_execution(execution_id)
    names = {kind.id: kind.name for kind in store.get_context_types()}
    return {each.id for each in contexts if names[each.type_id] == _RUN_CONTEXT}


def _find_statistics(store: metadata_store.MetadataStore, execution_id: int) -> dict[str, str]:
    events = store.get_events_by_execution_ids([execution_id])
    keys: Mapping[int, str] = {
        event.artifact_id: step.key
        for event in events
        if event_lib.is_valid_input_event(event)
        for step in event.path.steps
        if step.HasField("key")
    }
    uris = {keys[artifact.id]: artifact.uri for artifact in store.get_artifacts_by_id(list(keys))}
    return {table: uris[f"{table}_statistics"] for table in TABLES}
