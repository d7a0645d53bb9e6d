"""Executions planted in a temporary metadata store."""

import pytest
from ml_metadata import metadata_store
from ml_metadata.proto import metadata_store_pb2 as mlmd

from pipeline.metadata import RunMetadata, build_connection_config


@pytest.fixture
def plant(tmp_path):
    """plant(state) adds an execution of shop's Evaluator; another node has one that must not
    count.
    """
    store = metadata_store.MetadataStore(build_connection_config(str(tmp_path / "metadata.sqlite")))
    node = store.put_context_type(mlmd.ContextType(name="node"))
    kind = store.put_execution_type(mlmd.ExecutionType(name="Evaluator"))

    def add(state, name="shop.Evaluator"):
        context = store.get_context_by_type_and_name("node", name)
        if context is None:
            store.put_contexts([mlmd.Context(type_id=node, name=name)])
            context = store.get_context_by_type_and_name("node", name)
        store.put_execution(mlmd.Execution(type_id=kind, last_known_state=state), [], [context])

    add(mlmd.Execution.COMPLETE, "shop.Indexer")
    return add


def count_evaluations(tmp_path) -> int:
    return RunMetadata(tmp_path / "metadata.sqlite", "shop").count_executions("Evaluator")


def test_a_node_that_never_ran_was_executed_no_time(tmp_path, plant):
    assert count_evaluations(tmp_path) == 0


def test_only_work_that_was_done_and_finished_counts(tmp_path, plant):
    counted = []
    for state in (
        mlmd.Execution.COMPLETE, mlmd.Execution.CACHED, mlmd.Execution.FAILED,
        mlmd.Execution.COMPLETE, mlmd.Execution.RUNNING, mlmd.Execution.CACHED,
    ):  # fmt: skip
        plant(state)
        counted.append(count_evaluations(tmp_path))
    assert counted == [1, 1, 1, 2, 2, 2]
