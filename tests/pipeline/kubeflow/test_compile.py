"""`tandem compile`: the document for Kubeflow Pipelines, made without network or a user's files."""

import json
import os
import pathlib
import re
import subprocess
import sys
import textwrap

import pytest
import yaml
from google.protobuf import json_format
from kfp.components import load_component_from_file
from tfx.utils import import_utils

from components.artifacts.types import Candidates, Histories, Metrics, Page, Verdict, Words
from pipeline import dag
from pipeline.config.config import load_config
from pipeline.config.kubeflow import PEAK_MB
from pipeline.config.run_parameters import RunLocations
from pipeline.kubeflow.document import read_document
from pipeline.kubeflow.parameters import PARAMETER_TYPE
from schema.errors import UsageError

CONFIG = pathlib.Path(__file__).resolve().parents[3] / "configs" / "simulated.toml"
IMAGE = "registry.example/tandem:7"
# Compiling must not connect to or look up an address, nor read the user's credentials or files of
# the current folder. A local pair of sockets, as in an event loop, is allowed, and so are the
# libraries' own caches in the home folder.
PLANTED = (
    ".aws/credentials",
    ".boto",
    ".config/gcloud/application_default_credentials.json",
    ".config/kfp/context.json",
    ".kube/config",
    "pipeline.py",
    "setup.py",
    "trainer/module.py",
)
COMPILE_ALONE = textwrap.dedent(
    """
    import os, socket, sys

    def refuse(*args, **kwargs):
        raise AssertionError(f"the network was used: {args}")

    socket.socket.connect = socket.socket.connect_ex = socket.socket.sendto = refuse
    socket.create_connection = socket.getaddrinfo = refuse
    planted, seen = os.environ["PLANTED"].split(":"), []

    def watch(event, args):
        if event == "open" and isinstance(args[0], str) and os.path.abspath(args[0]) in planted:
            seen.append(f"opened {args[0]}")

    sys.addaudithook(watch)
    from pipeline import cli
    code = cli.main(sys.argv[1:])
    sys.exit("\\n".join(seen) or code)
    """
)
SETTINGS = (
    "kubeflow.labels.team=shop",
    "kubeflow.resources.default.memory_limit=4Gi",
    "kubeflow.retries.default.count=2",
    "trainer.deterministic=true",
)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A user's home folder with credentials and a project, in which the command is run."""
    folder = tmp_path_factory.mktemp("home")
    for name in PLANTED:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("raise AssertionError('read')")
    return folder


@pytest.fixture(scope="module")
def document(tmp_path_factory, home):
    """The document, compiled by the command in a process with only Tandem's code."""
    out = tmp_path_factory.mktemp("compiled") / "new" / "shop.yaml"
    arguments = ["compile", "--config", str(CONFIG), "--image", IMAGE, "--out", str(out)]
    locations = ["--data", "/mnt/logs", "--root", "/mnt/shop"]
    overrides = [part for setting in SETTINGS for part in ("--set", setting)]
    # In its own folder, so that the current one is not in sys.path, as with the command.
    script = tmp_path_factory.mktemp("script") / "alone.py"
    script.write_text(COMPILE_ALONE)
    completed = subprocess.run(
        [sys.executable, str(script), *arguments, *locations, *overrides],
        check=False,
        capture_output=True,
        text=True,
        cwd=home,
        env={
            "HOME": str(home),
            "PLANTED": ":".join(str(home / name) for name in PLANTED),
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(CONFIG.parents[1]),
        },
    )
    assert completed.returncode == 0, completed.stderr[-3000:]
    assert completed.stderr == ""
    assert re.fullmatch(rf"{re.escape(str(out))}: \d+ tasks\n", completed.stdout)
    return out


@pytest.fixture(scope="module")
def compiled(document):
    return read_document(document)


@pytest.fixture(scope="module")
def tasks(compiled):
    """Tasks of the DAG, which is a single task for the exit handler."""
    return compiled.components["tfx-dag"].dag.tasks


def test_every_task_has_the_memory_that_it_was_measured_to_need(compiled):
    executors = json_format.MessageToDict(compiled.deployment_spec)["executors"]
    for component in compiled.components.values():
        if component.executor_label:
            resources = executors[component.executor_label]["container"]["resources"]
            assert 0.6 < resources["memoryRequest"] <= resources["memoryLimit"] == 4 * 1.024**3


def test_every_task_has_the_environment_of_deterministic_training(compiled):
    executors = json_format.MessageToDict(compiled.deployment_spec)["executors"]
    for component in compiled.components.values():
        if component.executor_label:
            assert executors[component.executor_label]["container"]["env"] == [
                {"name": "TF_ENABLE_ONEDNN_OPTS", "value": "0"},
                {"name": "ONEDNN_MAX_CPU_ISA", "value": "AVX2"},
            ]


def test_every_component_of_the_dag_is_a_task(compiled, tasks):
    pipeline = dag.build_pipeline(
        load_config(CONFIG), RunLocations("", "", "", "", "", "", ""), fingerprint=""
    )
    components = {component.id.replace(".", "-") for component in pipeline.components}
    assert set(tasks) == components | {"RunReport", "PushGate"}
    assert set(PEAK_MB) == components
    assert {"InteractionsGen", "DataGate", "Transform-items", "Evaluator", "Pusher"} <= components
    assert compiled.pipeline_info.name == "simulated"
    assert compiled.schema_version == "2.1.0"


def test_every_command_matches_its_components_declaration(compiled):
    """A task uses it to ignore inputs and outputs that the backend adds."""
    executors = json_format.MessageToDict(compiled.deployment_spec)["executors"]
    for component in compiled.components.values():
        if component.executor_label:
            args = executors[component.executor_label]["container"]["args"]
            declared_types = json.loads(args[args.index("--json_serialized_outputs_spec_args") + 1])
            assert set(declared_types.get("artifacts", {})) == set(
                component.output_definitions.artifacts
            )
            kinds = [each["artifactType"] for each in declared_types.get("artifacts", {}).values()]
            assert [kind for kind in kinds if "schemaTitle" in kind] == []  # TFX's own types
            declared_types = json.loads(args[args.index("--json_serialized_inputs_spec_args") + 1])
            declared = json_format.MessageToDict(component.input_definitions)
            del declared["parameters"]["image"]  # which is only for KFP's driver
            assert declared_types.get("artifacts") == declared.get("artifacts")
            assert declared_types.get("parameters", {}) == declared["parameters"]


def test_pages_and_metrics_have_types_that_kfp_displays(compiled):
    """The condition in frontend/src/components/viewers/MetricsVisualizations.tsx."""
    drawn = {
        (component, output): spec.artifact_type.schema_title
        for component in compiled.components
        for output, spec in compiled.components[component].output_definitions.artifacts.items()
        if spec.artifact_type.schema_title
    }
    assert drawn == {
        ("RunReport", "metrics"): "system.Metrics",
        ("RunReport", "page"): "system.HTML",
        ("RunVerdict", "words"): "system.Markdown",
    }


def test_argo_accepts_every_name(compiled, tasks):
    """ "must consist of alpha-numeric characters or '-', and must start with an alpha-numeric
    character": Argo's message about the name of a task.
    """
    names = [*tasks, *compiled.components]
    assert [name for name in names if not re.fullmatch("[a-zA-Z0-9][a-zA-Z0-9-]*", name)] == []


def test_every_container_uses_the_configured_image(compiled, tasks):
    executors = compiled.deployment_spec["executors"]
    images = {executors[name]["container"]["image"] for name in executors}
    assert images == {"{{$.inputs.parameters['image']}}"}
    for task in (*tasks.values(), compiled.root.dag.tasks["RunVerdict"]):
        assert task.inputs.parameters["image"].component_input_parameter == "image"
        declared = compiled.components[task.component_ref.name].input_definitions.parameters
        assert declared["image"].parameter_type == PARAMETER_TYPE.STRING


def test_a_run_that_sets_nothing_is_as_configured(compiled):
    parameters = compiled.root.input_definitions.parameters
    loaded = load_config(CONFIG)
    assert {name: each.default_value.string_value or each.default_value.number_value
            for name, each in parameters.items()} == {
        "data": "/mnt/logs",
        "image": IMAGE,
        "span": 0.0,  # the empty text
        "retrieval_epochs": loaded.retrieval.epochs,
        "ranking_epochs": loaded.ranking.epochs,
        "thresholds": "[]",
    }  # fmt: skip
    assert parameters["span"].default_value.WhichOneof("kind") == "string_value"
    assert all(each.is_optional for each in parameters.values())
    assert parameters["retrieval_epochs"].parameter_type == PARAMETER_TYPE.NUMBER_INTEGER


@pytest.mark.parametrize(
    ("task", "parameter", "set_by"),
    [
        ("InteractionsGen", "data_dir", "data"),
        ("ItemsGen", "data_dir", "data"),
        ("InteractionsGen", "span", "span"),
        ("ItemsGen", "span", "span"),
        ("RetrievalTrainer", "epochs", "retrieval_epochs"),
        ("RankingTrainer", "epochs", "ranking_epochs"),
        ("Evaluator", "thresholds", "thresholds"),
    ],
)
def test_run_parameters_reach_the_tasks_that_read_them(tasks, task, parameter, set_by):
    assert tasks[task].inputs.parameters[parameter].component_input_parameter == set_by


def test_the_dag_receives_the_parameters_that_its_tasks_read(compiled, tasks):
    read = {
        parameter.component_input_parameter
        for task in tasks.values()
        for parameter in task.inputs.parameters.values()
        if parameter.WhichOneof("kind") == "component_input_parameter"
    }
    passed = compiled.root.dag.tasks["tfx-dag"].inputs.parameters
    assert read == set(passed) == set(compiled.root.input_definitions.parameters)
    assert all(passed[name].component_input_parameter == name for name in read)
    inner = compiled.components["tfx-dag"].input_definitions.parameters
    assert {name: inner[name].parameter_type for name in read} == {
        name: each.parameter_type
        for name, each in compiled.root.input_definitions.parameters.items()
    }


def test_the_exit_handler_runs_after_success_and_failure(compiled, tasks):
    assert set(compiled.root.dag.tasks) == {"tfx-dag", "RunVerdict"}
    handler = compiled.root.dag.tasks["RunVerdict"]
    assert list(handler.dependent_tasks) == ["tfx-dag"]
    policy = json_format.MessageToDict(handler.trigger_policy)
    assert policy == {"strategy": "ALL_UPSTREAM_TASKS_COMPLETED"}
    assert handler.inputs.parameters["final_status"].task_final_status.producer_task == "tfx-dag"
    parameters = {
        name: each.runtime_value.constant.string_value
        for name, each in handler.inputs.parameters.items()
    }
    assert parameters["root"] == "/mnt/shop"
    assert parameters["run"] == "{{$.pipeline_job_uuid}}"
    upstream = json.loads(parameters["tasks"])
    assert set(upstream) == set(tasks)
    for number, (name, before) in enumerate(upstream.items()):
        assert set(before) == set(tasks[name].dependent_tasks) <= set(list(upstream)[:number])
    assert list(upstream)[-1] == "PushGate"
    assert json.loads(parameters["never_cached"]) == ["PushGate", "RunReport"]
    assert not handler.caching_options.enable_cache


def test_run_parameters_are_declared_once(tasks):
    """A second declaration would be ignored, or contradict the first."""
    settings = tasks["RetrievalTrainer"].inputs.parameters["config"]
    assert "epochs" not in json.loads(settings.runtime_value.constant.string_value)
    rules = tasks["Evaluator"].inputs.parameters["blessing_config"]
    assert "thresholds" not in json.loads(rules.runtime_value.constant.string_value)


def test_every_task_has_a_component_and_every_component_an_executor(compiled, tasks):
    executors = compiled.deployment_spec["executors"]
    every = (*tasks.values(), compiled.root.dag.tasks["RunVerdict"])
    labels = {compiled.components[task.component_ref.name].executor_label for task in every}
    assert labels == set(executors)


def test_only_features_of_a_self_hosted_kfp_are_used(compiled, tasks):
    """Its driver returns "resolver not implemented yet", and TFX's InfraValidator requires
    Docker.
    """
    executors = json_format.MessageToDict(compiled.deployment_spec)["executors"].values()
    assert {kind for executor in executors for kind in executor} == {"container"}
    assert all(each["container"]["command"][:2] == ["python", "-m"] for each in executors)
    classes = [executor["container"]["args"][1] for executor in executors]
    assert "components.infra_check.InfraCheck_Executor" in classes
    assert not [name for name in classes if "infra_validator" in name]
    pushed = tasks["Evaluator"].inputs.parameters["pushed"].runtime_value.constant
    assert pushed.string_value == "newest"  # which the component resolves itself


@pytest.mark.parametrize(
    ("task", "after"),
    [
        ("DataGate", {"ExampleValidator-interactions", "ExampleValidator-items"}),
        ("Transform-interactions", {"DataGate", "InteractionsGen"}),
        ("Transform-items", {"DataGate", "ItemsGen"}),
        ("RankingTrainer", {"RetrievalTrainer"}),
        ("RankingAnalysis", {"RankingTrainer", "RetrievalTrainer"}),
        ("InfraCheck", {"Recommender"}),
        ("Pusher", {"InfraCheck", "Evaluator", "Recommender"}),
        ("RunReport", {"Pusher", "RankingAnalysis", "Indexer", "DataGate"}),
        ("PushGate", {"Pusher", "RunReport"}),
    ],
)
def test_tasks_that_must_precede(tasks, task, after):
    assert after <= set(tasks[task].dependent_tasks)


def test_only_the_report_waits_for_the_analysis(tasks):
    waiting = [name for name in tasks if "RankingAnalysis" in tasks[name].dependent_tasks]
    assert waiting == ["RunReport"]


def test_the_order_has_no_circle_and_ends_with_the_gate(tasks):
    completed: list[str] = []
    while waiting := set(tasks) - set(completed):
        ready = {name for name in waiting if set(tasks[name].dependent_tasks) <= set(completed)}
        assert ready, f"none of {sorted(waiting)} can start"
        completed += sorted(ready)
    assert completed[-1] == "PushGate"


def test_a_refusal_fails_the_gate_and_not_the_pusher(tasks):
    """Thus the run's page shows all measurements. The gate has no retries, for it would fail
    again.
    """
    fails = tasks["Pusher"].inputs.parameters["refusal_fails"].runtime_value.constant
    assert fails.number_value == 0
    assert not tasks["PushGate"].HasField("retry_policy")
    assert tasks["Pusher"].retry_policy.max_retry_count == 2


def test_the_end_is_never_cached(tasks):
    never = {name for name, task in tasks.items() if not task.caching_options.enable_cache}
    assert never == {"RunReport", "PushGate"}


def test_the_report_gets_the_parameters_of_the_run(tasks):
    parameters = tasks["RunReport"].inputs.parameters
    for name, set_by in (
        ("data_dir", "data"),
        ("span", "span"),
        ("retrieval_epochs", "retrieval_epochs"),
        ("ranking_epochs", "ranking_epochs"),
        ("thresholds", "thresholds"),
    ):
        assert parameters[name].component_input_parameter == set_by
    assert parameters["root"].runtime_value.constant.string_value == "/mnt/shop"
    before = json.loads(parameters["tasks"].runtime_value.constant.string_value)
    assert set(before) == set(tasks) - {"RunReport", "PushGate"}


def test_tasks_write_to_the_configured_root(compiled, tasks):
    def get_parameter(task: str, parameter: str) -> str:
        return tasks[task].inputs.parameters[parameter].runtime_value.constant.string_value

    assert get_parameter("ItemsGen", "rejected_dir") == "{task}/rejected"
    assert get_parameter("DataGate", "pages") == "{task}/statistics"
    assert get_parameter("RetrievalTrainer", "tensorboard") == "{task}/tensorboard/retrieval"
    assert get_parameter("RetrievalTrainer", "checkpoints") == "/mnt/shop/checkpoints/retrieval"
    assert get_parameter("Pusher", "serving_dir") == "/mnt/shop/serving"
    assert compiled.default_pipeline_root == "/mnt/shop/artifacts"


def test_concurrent_runs_share_only_these_locations(tasks):
    """Everything else is in the task's own folder."""
    shared = {
        (task, name, parameter.runtime_value.constant.string_value.removeprefix("/mnt/shop"))
        for task in tasks
        for name, parameter in tasks[task].inputs.parameters.items()
        if parameter.runtime_value.constant.string_value.startswith("/mnt/shop")
    }
    assert shared == {
        ("RetrievalTrainer", "checkpoints", "/checkpoints/retrieval"),  # by fingerprint
        ("RankingTrainer", "checkpoints", "/checkpoints/ranking"),
        ("RetrievalTrainer", "serving_dir", "/serving"),
        ("Evaluator", "serving_dir", "/serving"),
        ("Pusher", "serving_dir", "/serving"),
        ("RunReport", "root", ""),
    }


def test_kfp_loads_the_file_as_a_pipeline(compiled, document):
    loaded = load_component_from_file(str(document))
    assert loaded.name == "simulated"
    parameters = compiled.root.input_definitions.parameters
    assert set(loaded.component_spec.inputs or ()) == set(parameters)


@pytest.mark.parametrize("kind", [Histories, Candidates, Verdict, Metrics, Page, Words])
def test_a_task_finds_our_artifact_types_by_their_names_alone(kind):
    assert import_utils.import_class_by_path(kind.TYPE_NAME) is kind


def test_a_document_that_is_not_a_pipeline_is_refused(tmp_path):
    document = tmp_path / "other.yaml"
    document.write_text("pipelineInfo: {name: shop}\nstages: []\n")
    with pytest.raises(UsageError, match="stages"):
        read_document(document)


def test_an_executor_that_is_none_is_refused(tmp_path):
    document = tmp_path / "other.yaml"
    document.write_text("deploymentSpec: {executors: {a: {container: {picture: i}}}}\n")
    with pytest.raises(UsageError, match="picture"):
        read_document(document)


def test_the_platforms_document_is_the_second(document, compiled):
    _, platform = yaml.safe_load_all(document.read_text())
    pods = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    executors = json_format.MessageToDict(compiled.deployment_spec)["executors"]
    assert set(pods) == set(executors)
    assert pods["Pusher_executor"] == {"podMetadata": {"labels": {"team": "shop"}}}
    memory = {executor["container"]["resources"]["memoryLimit"] for executor in executors.values()}
    assert memory == {4 * 2**30 / 10**9}
