"""The lineage of refreshes, in a temporary store."""

import json

import pytest
from ml_metadata import metadata_store
from ml_metadata.proto import metadata_store_pb2 as mlmd

from pipeline.commands.refresh_version import record_refresh


def version(tmp_path, number):
    return {name: str(tmp_path / name / str(number)) for name in ("retrieval", "recommender")}


@pytest.fixture
def store(tmp_path):
    sqlite = mlmd.SqliteMetadataSourceConfig(filename_uri=str(tmp_path / "metadata.sqlite"))
    sqlite.connection_mode = mlmd.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
    return metadata_store.MetadataStore(mlmd.ConnectionConfig(sqlite=sqlite))


def ends(store, execution_id):
    events = {e.type: e.artifact_id for e in store.get_events_by_execution_ids([execution_id])}
    return events[mlmd.Event.INPUT], events[mlmd.Event.OUTPUT]


def test_each_refresh_begins_where_the_last_one_ended(tmp_path, store):
    path = tmp_path / "metadata.sqlite"
    first = record_refresh(path, "shop", version(tmp_path, 1), version(tmp_path, 2), {})
    second = record_refresh(path, "shop", version(tmp_path, 2), version(tmp_path, 3), {})
    assert ends(store, first)[1] == ends(store, second)[0]
    assert len(store.get_artifacts_by_type("PushedModel")) == 3


def test_a_version_is_described_as_the_pusher_describes_it(tmp_path, store):
    message = {"items": {"added": 1}}
    made = record_refresh(
        tmp_path / "metadata.sqlite", "shop", version(tmp_path, 1), version(tmp_path, 2), message
    )
    (artifact,) = store.get_artifacts_by_id([ends(store, made)[1]])
    described = json.loads(artifact.custom_properties["servables"].string_value)
    path = str(tmp_path / "recommender" / "2")
    assert described["recommender"] == {"path": path, "version": 2}
    (execution,) = store.get_executions_by_id([made])
    assert json.loads(execution.custom_properties["items"].string_value) == {"added": 1}
    assert execution.last_known_state == mlmd.Execution.COMPLETE


def test_it_is_in_the_context_of_its_pipeline(tmp_path, store):
    kind = store.put_context_type(mlmd.ContextType(name="pipeline"))
    (context,) = store.put_contexts([mlmd.Context(type_id=kind, name="shop")])
    made = record_refresh(
        tmp_path / "metadata.sqlite", "shop", version(tmp_path, 1), version(tmp_path, 2), {}
    )
    assert [e.id for e in store.get_executions_by_context(context)] == [made]
