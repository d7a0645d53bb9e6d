"""The emulator's rules, on documents written by hand; its docstrings name the sources."""

import json
import pathlib
from typing import Any

import pytest

from tests.kubeflow.backend import Backend
from tests.kubeflow.document import DocumentRefused
from tests.kubeflow.executions import CACHED, COMPLETE, FAILED
from tests.kubeflow.hand_written import (
    FAIL,
    FOLDER,
    NOTE,
    build_executors,
    component,
    constants,
    container,
    task,
    write_document,
)


def test_a_task_runs_after_its_dependencies_and_producers(backend, read_notes, tmp_path):
    needs_a = {"artifacts": {"x": {"taskOutputArtifact": output_of("a")}}}
    tasks = {
        "a": task("a", "z"),
        "b": task("b", inputs=needs_a),
        "c": task("c", "b", "a"),
        "z": task("z"),
    }
    declared = {"a": build_producer("a", "x"), "b": build_consumer("b", "x")}
    path = write_document(tmp_path / "d.yaml", tasks, build_executors(read_notes, "abcz"), declared)
    run = backend.run(path)
    assert read_notes() == ["z", "a", "b", "c"]
    assert run.succeeded
    assert run.tasks_in(COMPLETE) == set("abcz")


def output_of(producer, key="x"):
    return {"producerTask": producer, "outputArtifactKey": key}


def build_producer(name, *keys):
    artifacts = {key: {"artifactType": FOLDER} for key in keys}
    return component(name) | {"outputDefinitions": {"artifacts": artifacts}}


def build_consumer(name, *keys):
    artifacts = {key: {"artifactType": FOLDER} for key in keys}
    return component(name) | {"inputDefinitions": {"artifacts": artifacts}}


def test_placeholders_are_replaced_also_in_constants(backend, read_notes, tmp_path):
    inputs: dict[str, Any] = constants(text="epochs={{$.inputs.parameters['epochs']}}", rate=0.5)
    inputs["parameters"]["epochs"] = {"componentInputParameter": "epochs"}
    kinds = {"text": "STRING", "rate": "NUMBER_DOUBLE", "epochs": "NUMBER_INTEGER"}
    words = ["{{$.inputs.parameters['text']}}", "{{$.inputs.parameters['rate']}}", "{{$}}"]
    code = "import sys, json; open(sys.argv[1], 'w').write(json.dumps(sys.argv[2:]))"
    path = write_document(
        tmp_path / "d.yaml",
        {"a": task("a", inputs=inputs)},
        {"a": container(code, read_notes.file, *words)},
        {"a": component("a", **kinds)},
        epochs={"parameterType": "NUMBER_INTEGER", "defaultValue": 3},
    )

    def run(**parameters):
        assert backend.run(path, parameters).succeeded
        return json.loads(" ".join(read_notes()))

    text, rate, executor_input = run()
    assert text == "epochs=3"
    assert rate == "0.5"
    values = json.loads(executor_input)["inputs"]["parameterValues"]
    assert values == {"text": "epochs=3", "rate": 0.5, "epochs": 3.0}
    assert json.loads(run(epochs=7)[2])["inputs"]["parameterValues"]["text"] == "epochs=7"


def test_placeholders_are_replaced_by_inputs_and_not_by_defaults(backend, read_notes, tmp_path):
    word = "{{$.inputs.parameters['n']}}"
    declared = component("a")
    declared["inputDefinitions"]["parameters"]["n"] = {
        "parameterType": "NUMBER_INTEGER",
        "isOptional": True,
        "defaultValue": 3,
    }
    executors = {"a": container(NOTE, read_notes.file, word)}
    tasks = {"a": task("a", inputs=constants(n=4))}
    assert backend.run(
        write_document(tmp_path / "d.yaml", tasks, executors, {"a": declared})
    ).succeeded
    assert read_notes() == ["4"]
    with pytest.raises(DocumentRefused, match="'n' not found"):
        backend.run(
            write_document(tmp_path / "d.yaml", {"a": task("a")}, executors, {"a": declared})
        )


@pytest.mark.parametrize(
    ("parameters", "message"),
    [({"epoch": 3}, "unknown parameters"), ({"epochs": "three"}, "expected NUMBER_INTEGER")],
)
def test_parameters_that_are_unknown_or_of_another_type_are_refused(
    backend, read_notes, tmp_path, parameters, message
):
    inputs = {"parameters": {"epochs": {"componentInputParameter": "epochs"}}}
    path = write_document(
        tmp_path / "d.yaml",
        {"a": task("a", inputs=inputs)},
        build_executors(read_notes, "a"),
        {"a": component("a", epochs="NUMBER_INTEGER")},
        epochs={"parameterType": "NUMBER_INTEGER", "defaultValue": 3},
    )
    with pytest.raises(DocumentRefused, match=message):
        backend.run(path, parameters)
    assert read_notes() == []


def test_an_artifact_has_its_producers_metadata_and_no_type(backend, read_notes, tmp_path):
    message = {"rows": 7, "whole": True, "names": ["a"], "text": "é", "third": 1 / 3, "loss": 2e-7}
    produce = (
        "import json, sys, pathlib; i = json.loads(sys.argv[1])['outputs'];"
        "pathlib.Path(sys.argv[2], 'data').write_text('content');"
        f"own = {{'artifacts': [{{'metadata': {message!r}}}]}};"
        "pathlib.Path(i['outputFile']).write_text(json.dumps({'artifacts': {'x': own}}))"
    )
    consume = (
        "import sys, pathlib; pathlib.Path(sys.argv[1]).write_text(sys.argv[2]);"
        "assert pathlib.Path(sys.argv[3], 'data').read_text() == 'content'"
    )
    path = write_document(
        tmp_path / "d.yaml",
        {
            "a": task("a"),
            "b": task("b", inputs={"artifacts": {"y": {"taskOutputArtifact": output_of("a")}}}),
        },
        {
            "a": container(produce, "{{$}}", "{{$.outputs.artifacts['x'].uri}}"),
            "b": container(consume, read_notes.file, "{{$}}", "{{$.inputs.artifacts['y'].path}}"),
        },
        {"a": build_producer("a", "x"), "b": build_consumer("b", "y")},
    )
    run = backend.run(path)
    assert run.succeeded, [e.log for e in run.executions.values()]
    (artifact,) = json.loads(" ".join(read_notes()))["inputs"]["artifacts"]["y"]["artifacts"]
    assert artifact["type"] == {"instanceSchema": ""}
    assert artifact["uri"].startswith(f"{tmp_path}/root/by-hand/run-1/a/")
    stored = {"rows": 7.0, "whole": 1.0, "names": {"list": ["a"]}, "text": "é"}
    stored |= {"third": 0.333333, "loss": 0.0}
    session = json.loads(artifact["metadata"].pop("store_session_info"))
    assert artifact["metadata"] == stored | {"display_name": "x"}
    assert session["Provider"] == "s3"
    assert session["Params"]["secretName"] == "tandem-store"


def test_every_task_has_a_log_as_an_additional_output(read_notes, tmp_path):
    """It is not declared, and differs between attempts."""
    backend = Backend(str(tmp_path / "root"), tmp_path / "pods", sleep=lambda seconds: None)
    code = (
        "import json, sys; made = json.loads(sys.argv[2])['outputs']['artifacts'];"
        "log = made.pop('executor-logs')['artifacts'][0]; assert not made;"
        "open(sys.argv[1], 'a').write(log['type']['schemaTitle'] + ' ' + log['uri'] + '\\n');"
        "print('as it went'); sys.exit(log['uri'][-1] == '0')"
    )
    path = write_document(
        tmp_path / "d.yaml",
        {"a": task("a", retryPolicy={"maxRetryCount": 1})},
        {"a": container(code, read_notes.file, "{{$}}")},
    )
    assert backend.run(path).succeeded
    kind, first, same_kind, second = read_notes()
    assert kind == same_kind == "system.Artifact"
    assert first.removesuffix("-0") == second.removesuffix("-1")
    assert first.rpartition("/")[2] == "executor-logs-0"
    assert pathlib.Path(first).read_text() == pathlib.Path(second).read_text() == "as it went\n"


def test_output_metadata_is_below_the_local_path_of_the_root(bucket, read_notes, tmp_path):
    backend = Backend(f"{bucket}/root", tmp_path / "pods")
    code = "import sys; open(sys.argv[1], 'w').write(sys.argv[2] + ' ' + sys.argv[3])"
    placeholders = ["{{$.outputs.artifacts['x'].uri}}", "{{$}}"]
    path = write_document(
        tmp_path / "d.yaml",
        {"a": task("a")},
        {"a": container(code, read_notes.file, *placeholders)},
        {"a": build_producer("a", "x")},
    )
    run = backend.run(path)
    uri, executor_input = " ".join(read_notes()).split(" ", 1)
    output_file = json.loads(executor_input)["outputs"]["outputFile"]
    local = uri.replace("s3://", "/s3/").removesuffix("/x")
    assert output_file.endswith(f"/pods/{run.id}/a{local}/output_metadata.json")


def test_kfp_and_argo_have_different_names_for_a_run(backend, read_notes, tmp_path):
    placeholders = ["{{$.pipeline_job_uuid}}", "{{$.pipeline_job_resource_name}}"]
    path = write_document(
        tmp_path / "d.yaml",
        {"a": task("a", inputs=constants(id=placeholders[0], resource=placeholders[1]))},
        {
            "a": container(
                "import sys; open(sys.argv[1], 'w').write(' '.join(sys.argv[2:]))",
                read_notes.file,
                "{{$.inputs.parameters['id']}}",
                "{{$.inputs.parameters['resource']}}",
            )
        },
        {"a": component("a", id="STRING", resource="STRING")},
    )
    run = backend.run(path)
    assert read_notes() == [run.id, run.workflow]
    assert run.id != run.workflow


def test_a_parameter_is_passed_to_the_next_task(backend, read_notes, tmp_path):
    outputs = {"parameters": {"n": {"parameterType": "NUMBER_INTEGER"}}}
    n = {"producerTask": "a", "outputParameterKey": "n"}
    path = write_document(
        tmp_path / "d.yaml",
        {
            "a": task("a"),
            "b": task("b", inputs={"parameters": {"m": {"taskOutputParameter": n}}}),
        },
        {
            "a": container(
                "import sys; open(sys.argv[1], 'w').write(' 12\\n')",
                "{{$.outputs.parameters['n'].output_file}}",
            ),
            "b": container(NOTE, read_notes.file, "{{$.inputs.parameters['m']}}"),
        },
        {
            "a": component("a") | {"outputDefinitions": outputs},
            "b": component("b", m="NUMBER_INTEGER"),
        },
    )
    assert backend.run(path).succeeded
    assert read_notes() == ["12"]


def write_chain(path, read_notes, first="1"):
    """`a` has a parameter, `b` reads from `a`, `c` is independent, and `d` is never cached."""
    tasks = {
        "a": task("a", inputs=constants(first=first)),
        "b": task("b", inputs={"artifacts": {"x": {"taskOutputArtifact": output_of("a")}}}),
        "c": task("c"),
        "d": task("d", cachingOptions={}),
    }
    inputs = {"parameters": {"first": {"parameterType": "STRING"}}}
    declared = {
        "a": build_producer("a", "x") | {"inputDefinitions": inputs},
        "b": build_consumer("b", "x"),
    }
    return write_document(path, tasks, build_executors(read_notes, "abcd"), declared)


def test_unchanged_tasks_come_from_the_cache(backend, read_notes, tmp_path):
    backend.run(write_chain(tmp_path / "d.yaml", read_notes))
    assert sorted(read_notes()) == ["a", "b", "c", "d"]
    second = backend.run(write_chain(tmp_path / "d.yaml", read_notes))
    assert read_notes() == ["d"]
    assert second.tasks_in(CACHED) == set("abc")
    assert second.succeeded


def test_another_pipeline_has_its_own_cache(backend, read_notes, tmp_path):
    path = write_chain(tmp_path / "d.yaml", read_notes)
    backend.run(path)
    read_notes()
    path.write_text(path.read_text().replace("by-hand", "by-other-hands"))
    assert not backend.run(path).tasks_in(CACHED)


def test_a_change_executes_only_what_depends_on_it(backend, read_notes, tmp_path):
    backend.run(write_chain(tmp_path / "d.yaml", read_notes))
    read_notes()
    changed = backend.run(write_chain(tmp_path / "d.yaml", read_notes, "2"))
    assert changed.tasks_in(CACHED) == {"c"}
    backend.run(write_chain(tmp_path / "d.yaml", read_notes, "1"))
    assert sorted(read_notes()) == ["a", "b", "d", "d"]


def test_a_failure_stops_only_dependent_tasks_and_is_not_cached(backend, read_notes, tmp_path):
    tasks = {"a": task("a"), "b": task("b", "a"), "c": task("c"), "d": task("d", "c")}
    executors = build_executors(read_notes, "bcd") | build_executors(read_notes, "a", FAIL)
    path = write_document(tmp_path / "d.yaml", tasks, executors)
    run = backend.run(path)
    assert not run.succeeded
    assert run.tasks_in(FAILED) == {"a"}
    assert run.tasks_in(COMPLETE) == {"c", "d"}
    assert "b" not in run.executions
    assert sorted(read_notes()) == ["a", "c", "d"]
    assert not backend.run(path).succeeded
    assert read_notes() == ["a"]


def test_a_failed_task_is_retried_according_to_its_policy(read_notes, tmp_path):
    pauses: list[float] = []
    backend = Backend(str(tmp_path / "root"), tmp_path / "pods", sleep=pauses.append)
    policy = {"maxRetryCount": 3, "backoffDuration": "10s", "backoffFactor": 2,
              "backoffMaxDuration": "30s"}  # fmt: skip
    third = (
        "import sys, json, pathlib; out = json.loads(sys.argv[2])['outputs'];"
        "assert not pathlib.Path(out['outputFile']).exists();"
        "pathlib.Path(out['outputFile']).write_text('{}');"
        "uri = out['artifacts']['x']['artifacts'][0]['uri'];"
        "f = open(sys.argv[1], 'a+'); f.write(uri + '\\n');"
        "f.seek(0); sys.exit(len(f.readlines()) < 3)"
    )
    tasks = {
        "always": task("always", retryPolicy=policy),
        "third": task("third", retryPolicy=policy),
    }
    executors = {
        "always": container("import sys; sys.exit(1)"),
        "third": container(third, read_notes.file, "{{$}}"),
    }
    path = write_document(
        tmp_path / "d.yaml", tasks, executors, {"third": build_producer("third", "x")}
    )
    run = backend.run(path)
    attempts = {name: (e.state, e.attempts) for name, e in run.executions.items()}
    assert attempts == {"always": (FAILED, 4), "third": (COMPLETE, 3)}
    assert sorted(pauses) == [10, 10, 20, 20, 30]
    assert len(set(read_notes())) == 1, "expected the same output URIs for every attempt"


def test_a_nested_dag_has_inputs_and_outputs(backend, read_notes, tmp_path):
    inner = {
        "dag": {
            "tasks": {
                "a": task("a", inputs={"parameters": {"n": {"componentInputParameter": "m"}}}),
            },
            "outputs": {
                "artifacts": {
                    "y": {"artifactSelectors": [{"producerSubtask": "a", "outputArtifactKey": "x"}]}
                }
            },
        },
        "inputDefinitions": {"parameters": {"m": {"parameterType": "STRING"}}},
    }
    write = "import sys, pathlib; pathlib.Path(sys.argv[1], 'n').write_text(sys.argv[2])"
    read = (
        "import sys, pathlib;"
        "open(sys.argv[1], 'w').write(pathlib.Path(sys.argv[2], 'n').read_text())"
    )
    path = write_document(
        tmp_path / "d.yaml",
        {
            "all": task("all", inputs=constants(m="five")),
            "b": task(
                "b", inputs={"artifacts": {"z": {"taskOutputArtifact": output_of("all", "y")}}}
            ),
        },
        {
            "a": container(
                write, "{{$.outputs.artifacts['x'].path}}", "{{$.inputs.parameters['n']}}"
            ),
            "b": container(read, read_notes.file, "{{$.inputs.artifacts['z'].path}}"),
        },
        {
            "all": inner,
            "a": component("a", n="STRING")
            | {"outputDefinitions": build_producer("a", "x")["outputDefinitions"]},
            "b": build_consumer("b", "z"),
        },
    )
    run = backend.run(path)
    assert run.succeeded, [e.log for e in run.executions.values()]
    assert read_notes() == ["five"]


def test_a_container_has_only_its_own_environment(read_notes, tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "ours")
    backend = Backend(str(tmp_path / "root"), tmp_path / "pods", {"FROM_THE_IMAGE": "1"})
    code = "import sys, os, json; open(sys.argv[1], 'w').write(json.dumps(dict(os.environ)))"
    executors = {"a": container(code, read_notes.file, env=[{"name": "OWN", "value": "2"}])}
    backend.run(write_document(tmp_path / "d.yaml", {"a": task("a")}, executors))
    environment = json.loads(" ".join(read_notes()))
    assert "AWS_SECRET_ACCESS_KEY" not in environment
    assert (environment["FROM_THE_IMAGE"], environment["OWN"]) == ("1", "2")
    assert environment["TF_USE_LEGACY_KERAS"] == "1"
