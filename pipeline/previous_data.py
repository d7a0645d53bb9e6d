"""Finds the statistics that the gate compares with, without a TFX resolver."""

from collections.abc import Mapping

from ml_metadata import metadata_store
from ml_metadata.proto import metadata_store_pb2 as mlmd
from tfx.dsl.io import fileio
from tfx.orchestration import metadata as tfx_metadata
from tfx.orchestration.portable.mlmd import event_lib, execution_lib

from pipeline.config.config import TABLES

GATE = "DataGate"


def statistics(
    connection: mlmd.ConnectionConfig, pipeline: str, fingerprint: str
) -> dict[str, str]:
    """URI of the statistics by table: of the latest data that passed the gate and are not these.

    `fingerprint` is that of the present input. "" for each table where there are none. That they be
    of *other* data, and not of the run before, keeps an unchanged run cached: it compares with
    what it compared with the last time.
    """
    store = metadata_store.MetadataStore(connection)
    for execution in _passed(store, f"{pipeline}.{GATE}"):
        if execution.custom_properties["fingerprint"].string_value != fingerprint:
            found = _inputs(store, execution.id)
            # Someone may have deleted the artifacts to make room.
            if all(fileio.exists(uri) for uri in found.values()):
                return found
    return dict.fromkeys(TABLES, "")


def local(path: str) -> mlmd.ConnectionConfig:
    """Connection to the SQLite file at `path`."""
    return tfx_metadata.sqlite_metadata_connection_config(path)


def _passed(store: metadata_store.MetadataStore, node: str) -> list[mlmd.Execution]:
    """Executions that ended well, cached ones too, latest first."""
    context = store.get_context_by_type_and_name("node", node)
    if context is None:
        return []
    executions = store.get_executions_by_context(context.id)
    passed = filter(execution_lib.is_execution_successful, executions)
    return sorted(passed, key=lambda execution: -execution.id)


def _inputs(store: metadata_store.MetadataStore, execution_id: int) -> dict[str, str]:
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
