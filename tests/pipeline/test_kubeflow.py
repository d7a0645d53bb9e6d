"""`tandem compile`: what Kubeflow Pipelines is given, made with no network and nobody's home."""

import os
import pathlib
import subprocess
import sys
import textwrap

import pytest
from google.protobuf.json_format import ParseError
from tfx.utils import import_utils

from components.artifact_types import Candidates, Histories
from pipeline import config, dag, kubeflow

CONFIG = pathlib.Path(__file__).resolve().parents[2] / "configs" / "simulated.toml"
IMAGE = "registry.example/tandem:7"
# What a compiler must not need: an address to connect to or to look up. A local pair of sockets,
# as an event loop has one, goes through neither.
COMPILE_OFFLINE = textwrap.dedent(
    """
    import socket, sys

    def refuse(*args, **kwargs):
        raise AssertionError(f"the network was used: {args}")

    socket.socket.connect = socket.socket.connect_ex = socket.socket.sendto = refuse
    socket.create_connection = socket.getaddrinfo = refuse

    from pipeline import cli
    sys.exit(cli.main(sys.argv[1:]))
    """
)


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """The document, compiled by the verb in a process without home, credentials or network."""
    out = tmp_path_factory.mktemp("compiled") / "new" / "shop.yaml"
    home = tmp_path_factory.mktemp("home")
    arguments = ["compile", "--config", str(CONFIG), "--image", IMAGE, "--out", str(out)]
    places = ["--data", "/mnt/logs", "--root", "/mnt/shop"]
    done = subprocess.run(
        [sys.executable, "-c", COMPILE_OFFLINE, *arguments, *places],
        check=False,
        capture_output=True,
        text=True,
        cwd=home,
        env={
            "HOME": str(home),
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(CONFIG.parents[1]),
        },
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stderr == ""
    spec = kubeflow.validated(out)
    assert done.stdout == f"{out}: {len(spec.root.dag.tasks)} tasks\n"
    return spec


@pytest.fixture(scope="module")
def tasks(compiled):
    return compiled.root.dag.tasks


def test_every_component_of_the_dag_is_a_task(compiled, tasks):
    pipeline = dag.build(
        config.load(CONFIG), dag.Locations("", "", "", "", "", "", ""), fingerprint=""
    )
    components = {component.id for component in pipeline.components}
    assert set(tasks) == components
    assert {"InteractionsGen", "DataGate", "Transform.items", "Evaluator", "Pusher"} <= components
    assert compiled.pipeline_info.name == "simulated"
    assert compiled.schema_version == "2.1.0"


def test_every_container_is_the_image_that_was_asked_for(compiled, tasks):
    executors = compiled.deployment_spec["executors"]
    assert len(executors) == len(tasks)
    assert {executors[name]["container"]["image"] for name in executors} == {IMAGE}


def test_every_task_has_a_component_and_every_component_an_executor(compiled, tasks):
    executors = compiled.deployment_spec["executors"]
    labels = {
        compiled.components[task.component_ref.name].executor_label for task in tasks.values()
    }
    assert labels == set(executors)


@pytest.mark.parametrize(
    ("task", "after"),
    [
        ("DataGate", {"ExampleValidator.interactions", "ExampleValidator.items"}),
        ("Transform.interactions", {"DataGate", "InteractionsGen"}),
        ("Transform.items", {"DataGate", "ItemsGen"}),
        ("RankingTrainer", {"RetrievalTrainer"}),
        ("RankingAnalysis", {"RankingTrainer", "RetrievalTrainer"}),
        ("InfraCheck", {"Recommender"}),
        ("Pusher", {"InfraCheck", "Evaluator", "Recommender"}),
    ],
)
def test_what_must_come_before(tasks, task, after):
    assert after <= set(tasks[task].dependent_tasks)


def test_nothing_waits_for_what_only_measures(tasks):
    assert not [name for name in tasks if "RankingAnalysis" in tasks[name].dependent_tasks]


def test_the_order_has_no_circle_and_ends_with_the_pusher(tasks):
    done: list[str] = []
    while waiting := set(tasks) - set(done):
        ready = {name for name in waiting if set(tasks[name].dependent_tasks) <= set(done)}
        assert ready, f"none of {sorted(waiting)} can start"
        done += sorted(ready)
    assert done[-1] == "Pusher"


def test_tasks_read_and_write_where_the_cluster_was_said_to(tasks):
    def given(task: str, parameter: str) -> str:
        return tasks[task].inputs.parameters[parameter].runtime_value.constant.string_value

    assert given("InteractionsGen", "data_dir") == "/mnt/logs"
    assert given("ItemsGen", "rejected_dir") == "/mnt/shop/rejected"
    assert given("RetrievalTrainer", "tensorboard") == "/mnt/shop/tensorboard/retrieval"
    assert given("Pusher", "serving_dir") == "/mnt/shop/serving"


@pytest.mark.parametrize("kind", [Histories, Candidates])
def test_a_task_finds_our_artifact_types_by_their_names_alone(kind):
    assert import_utils.import_class_by_path(kind.TYPE_NAME) is kind


def test_a_document_that_is_no_pipeline_is_refused(tmp_path):
    document = tmp_path / "other.yaml"
    document.write_text("pipelineInfo: {name: shop}\nstages: []\n")
    with pytest.raises(ParseError, match="stages"):
        kubeflow.validated(document)
