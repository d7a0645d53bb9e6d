"""A refresh in ML Metadata: which version it was made from, and which it has pushed.

TFX is not imported, which costs as much as a refresh: the store is asked directly, in the types and
properties that the Pusher uses.
"""

import json
import pathlib
import time
from collections.abc import Mapping

from ml_metadata import metadata_store
from ml_metadata.proto import metadata_store_pb2 as mlmd

_EXECUTION = "tandem.Refresh"
_PUSHED = "PushedModel"
_SERVABLES = "servables"
Servables = dict[str, str]
"""Folder or URL of each pushed servable, by name."""


def record(
    path: pathlib.Path,
    pipeline: str,
    before: Servables,
    after: Servables,
    said: Mapping[str, object],
) -> int:
    """Writes one execution with its input and its output, all or nothing; `said` becomes its
    properties, as JSON. Returns its id.

    The version before is the artifact that its Pusher, or an earlier refresh, has written; where
    the store does not have it, it is put there.
    """
    store = metadata_store.MetadataStore(_connection(path))
    kind = mlmd.ArtifactType(name=_PUSHED)
    kind.id = store.put_artifact_type(kind, can_add_fields=True, can_omit_fields=True)
    input_event = mlmd.Event(type=mlmd.Event.INPUT)
    input_event.path.steps.add().key = "refreshed"
    output_event = mlmd.Event(type=mlmd.Event.OUTPUT)
    output_event.path.steps.add().key = "pushed"
    execution_id, _, _ = store.put_execution(
        _execution(store, said),
        [
            (_known(store, before) or _artifact(kind.id, before), input_event),
            (_artifact(kind.id, after), output_event),
        ],
        _contexts(store, pipeline),
    )
    return execution_id


def _connection(path: pathlib.Path) -> mlmd.ConnectionConfig:
    mode = mlmd.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
    sqlite = mlmd.SqliteMetadataSourceConfig(filename_uri=str(path), connection_mode=mode)
    return mlmd.ConnectionConfig(sqlite=sqlite)


def _execution(store: metadata_store.MetadataStore, said: Mapping[str, object]) -> mlmd.Execution:
    type_id = store.put_execution_type(mlmd.ExecutionType(name=_EXECUTION))
    execution = mlmd.Execution(type_id=type_id, last_known_state=mlmd.Execution.COMPLETE)
    for name, value in said.items():
        execution.custom_properties[name].string_value = json.dumps(value)
    return execution


def _known(store: metadata_store.MetadataStore, servables: Servables) -> mlmd.Artifact | None:
    for artifact in store.get_artifacts_by_type(_PUSHED):
        if artifact.custom_properties[_SERVABLES].string_value == _described(servables):
            return artifact
    return None


def _artifact(type_id: int, servables: Servables) -> mlmd.Artifact:
    folder = next(iter(servables.values()))
    artifact = mlmd.Artifact(type_id=type_id, uri=folder, state=mlmd.Artifact.LIVE)
    artifact.custom_properties[_SERVABLES].string_value = _described(servables)
    artifact.create_time_since_epoch = int(1000 * time.time())
    return artifact


def _described(servables: Servables) -> str:
    """As the Pusher says it."""
    return json.dumps(
        {
            name: {"path": at, "version": int(at.rpartition("/")[2])}
            for name, at in servables.items()
        }
    )


def _contexts(store: metadata_store.MetadataStore, pipeline: str) -> list[mlmd.Context]:
    """The pipeline's own, where it has run in this store."""
    found = store.get_context_by_type_and_name("pipeline", pipeline)
    return [] if found is None else [found]
