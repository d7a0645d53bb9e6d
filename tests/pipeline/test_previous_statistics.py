"""Executions of the gate planted in a temporary metadata store."""

import pathlib

import pytest
from ml_metadata import metadata_store
from ml_metadata.proto import metadata_store_pb2 as mlmd

from pipeline.metadata import build_connection_config, find_previous_statistics

NONE = {"interactions": "", "items": ""}


class Gates:
    """plant(name, fingerprint) -> URIs of the gate's inputs, which `statistics` should return."""

    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        self.connection = build_connection_config(str(folder / "metadata.sqlite"))
        self._store = metadata_store.MetadataStore(self.connection)
        kind = self._store.put_context_type(mlmd.ContextType(name="node"))
        context = mlmd.Context(type_id=kind, name="shop.DataGate")
        [self._context] = self._store.put_contexts([context])
        self._pusher = self._store.put_execution_type(mlmd.ExecutionType(name="Pusher"))
        self._run = self._store.put_context_type(mlmd.ContextType(name="pipeline_run"))
        context = mlmd.Context(type_id=kind, name="shop.Pusher")
        [self._pushers] = self._store.put_contexts([context])
        self._gate = self._store.put_execution_type(mlmd.ExecutionType(name="DataGate"))
        self._statistics = self._store.put_artifact_type(mlmd.ArtifactType(name="Statistics"))

    def plant(self, name: str, fingerprint: str, state=mlmd.Execution.COMPLETE) -> dict[str, str]:
        run = mlmd.Execution(type_id=self._gate, last_known_state=state)
        run.custom_properties["fingerprint"].string_value = fingerprint
        uris = {}
        inputs = []
        for table in NONE:
            uris[table] = str(self.folder / name / table)
            pathlib.Path(uris[table]).mkdir(parents=True)
            artifact = mlmd.Artifact(type_id=self._statistics, uri=uris[table])
            event = mlmd.Event(type=mlmd.Event.INPUT)
            event.path.steps.add(key=f"{table}_statistics")
            event.path.steps.add(index=0)
            inputs.append((artifact, event))
        contexts = self._store.get_contexts_by_id([self._context])
        contexts.append(mlmd.Context(type_id=self._run, name=name))
        self._store.put_execution(run, inputs, contexts)
        return uris

    def push(self, name: str, state=mlmd.Execution.COMPLETE) -> None:
        """Adds the Pusher of the run `name`, which must have been planted."""
        contexts = self._store.get_contexts_by_id([self._pushers])
        contexts.append(self._store.get_context_by_type_and_name("pipeline_run", name))
        pusher = mlmd.Execution(type_id=self._pusher, last_known_state=state)
        self._store.put_execution(pusher, [], contexts)

    def before(self, fingerprint: str) -> dict[str, str]:
        return find_previous_statistics(self.connection, "shop", fingerprint)


@pytest.fixture
def gates(tmp_path):
    return Gates(tmp_path)


def test_the_first_data_have_none_before_them(tmp_path):
    connection = build_connection_config(str(tmp_path / "metadata.sqlite"))
    assert find_previous_statistics(connection, "shop", "monday") == NONE


def test_the_same_data_is_compared_with_the_same_statistics(gates):
    monday = gates.plant("monday", "monday")
    assert gates.before("monday") == NONE
    assert gates.before("tuesday") == monday
    gates.plant("tuesday", "tuesday")
    gates.plant("tuesday again", "tuesday", mlmd.Execution.CACHED)
    assert gates.before("tuesday") == monday


def test_the_latest_that_passed_counts(gates):
    gates.plant("monday", "monday")
    tuesday = gates.plant("tuesday", "tuesday", mlmd.Execution.CACHED)
    gates.plant("refused", "wednesday", mlmd.Execution.FAILED)
    assert gates.before("thursday") == tuesday


def test_statistics_that_were_deleted_are_passed_over(gates):
    monday = gates.plant("monday", "monday")
    tuesday = gates.plant("tuesday", "tuesday")
    pathlib.Path(tuesday["items"]).rmdir()
    assert gates.before("wednesday") == monday


def test_data_of_a_run_that_pushed_go_before_later_data_of_one_that_did_not(gates):
    monday = gates.plant("monday", "monday")
    tuesday = gates.plant("tuesday", "tuesday")
    gates.push("tuesday", mlmd.Execution.FAILED)
    assert gates.before("wednesday") == tuesday  # nothing was pushed yet
    gates.push("monday")
    assert gates.before("wednesday") == monday
    gates.push("tuesday")
    assert gates.before("wednesday") == tuesday
