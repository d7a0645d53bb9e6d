"""The emulator's rules, on documents written by hand; the sources of the rules are beside them in
the emulator.
"""

import json
import pathlib
from typing import Any

import pytest

from tests.kubeflow.backend import Backend
from tests.kubeflow.document import Refused
from tests.kubeflow.executions import CACHED, COMPLETE, FAILED
from tests.kubeflow.hand_written import (
    FAIL,
    FOLDER,
    NOTE,
    component,
    constants,
    container,
    noting,
    task,
    written,
)


def test_a_task_runs_after_its_dependencies_and_producers(backend, noted, tmp_path):
    needs_a = {"artifacts": {"x": {"taskOutputArtifact": out("a")}}}
    tasks = {
        "a": task("a", "z"),
        "b": task("b", inputs=needs_a),
        "c": task("c", "b", "a"),
        "z": task("z"),
    }
    declared = {"a": produces("a", "x"), "b": consumes("b", "x")}
    path = written(tmp_path / "d.yaml", tasks, noting(noted, "abcz"), declared)
    run = backend.run(path)
    assert noted() == ["z", "a", "b", "c"]
    assert run.succeeded
    assert run.ended(COMPLETE) == set("abcz")


def out(producer, key="x"):
    return {"producerTask": producer, "outputArtifactKey": key}


def produces(name, *keys):
    artifacts = {key: {"artifactType": FOLDER} for key in keys}
    return component(name) | {"outputDefinitions": {"artifacts": artifacts}}


def consumes(name, *keys):
    artifacts = {key: {"artifactType": FOLDER} for key in keys}
    return component(name) | {"inputDefinitions": {"artifacts": artifacts}}


def test_placeholders_are_replaced_and_a_constant_may_hold_one(backend, noted, tmp_path):
    inputs: dict[str, Any] = constants(text="epochs={{$.inputs.parameters['epochs']}}", rate=0.5)
    inputs["parameters"]["epochs"] = {"componentInputParameter": "epochs"}
    kinds = {"text": "STRING", "rate": "NUMBER_DOUBLE", "epochs": "NUMBER_INTEGER"}
    words = ["{{$.inputs.parameters['text']}}", "{{$.inputs.parameters['rate']}}", "{{$}}"]
    code = "import sys, json; open(sys.argv[1], 'w').write(json.dumps(sys.argv[2:]))"
    path = written(
        tmp_path / "d.yaml",
        {"a": task("a", inputs=inputs)},
        {"a": container(code, noted.file, *words)},
        {"a": component("a", **kinds)},
        epochs={"parameterType": "NUMBER_INTEGER", "defaultValue": 3},
    )

    def received(**parameters):
        assert backend.run(path, parameters).succeeded
        return json.loads(" ".join(noted()))

    text, rate, executor_input = received()
    assert text == "epochs=3"
    assert rate == "0.5"
    values = json.loads(executor_input)["inputs"]["parameterValues"]
    assert values == {"text": "epochs=3", "rate": 0.5, "epochs": 3.0}
    assert json.loads(received(epochs=7)[2])["inputs"]["parameterValues"]["text"] == "epochs=7"


def test_a_placeholder_finds_what_the_task_is_given_and_no_default(backend, noted, tmp_path):
    word = "{{$.inputs.parameters['n']}}"
    declared = component("a")
    declared["inputDefinitions"]["parameters"]["n"] = {
        "parameterType": "NUMBER_INTEGER",
        "isOptional": True,
        "defaultValue": 3,
    }
    executors = {"a": container(NOTE, noted.file, word)}
    given = {"a": task("a", inputs=constants(n=4))}
    assert backend.run(written(tmp_path / "d.yaml", given, executors, {"a": declared})).succeeded
    assert noted() == ["4"]
    with pytest.raises(Refused, match="'n' not found"):
        backend.run(written(tmp_path / "d.yaml", {"a": task("a")}, executors, {"a": declared}))


@pytest.mark.parametrize(
    ("given", "message"),
    [({"epoch": 3}, "unknown parameters"), ({"epochs": "three"}, "expected NUMBER_INTEGER")],
)
def test_parameters_that_are_unknown_or_of_another_type_are_refused(
    backend, noted, tmp_path, given, message
):
    inputs = {"parameters": {"epochs": {"componentInputParameter": "epochs"}}}
    path = written(
        tmp_path / "d.yaml",
        {"a": task("a", inputs=inputs)},
        noting(noted, "a"),
        {"a": component("a", epochs="NUMBER_INTEGER")},
        epochs={"parameterType": "NUMBER_INTEGER", "defaultValue": 3},
    )
    with pytest.raises(Refused, match=message):
        backend.run(path, given)
    assert noted() == []


def test_an_artifact_has_its_producers_metadata_and_no_type(backend, noted, tmp_path):
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
    path = written(
        tmp_path / "d.yaml",
        {
            "a": task("a"),
            "b": task("b", inputs={"artifacts": {"y": {"taskOutputArtifact": out("a")}}}),
        },
        {
            "a": container(produce, "{{$}}", "{{$.outputs.artifacts['x'].uri}}"),
            "b": container(consume, noted.file, "{{$}}", "{{$.inputs.artifacts['y'].path}}"),
        },
        {"a": produces("a", "x"), "b": consumes("b", "y")},
    )
    run = backend.run(path)
    assert run.succeeded, [e.log for e in run.executions.values()]
    (given,) = json.loads(" ".join(noted()))["inputs"]["artifacts"]["y"]["artifacts"]
    assert given["type"] == {"instanceSchema": ""}
    assert given["uri"].startswith(f"{tmp_path}/root/by-hand/run-1/a/")
    stored = {"rows": 7.0, "whole": 1.0, "names": {"list": ["a"]}, "text": "é"}
    stored |= {"third": 0.333333, "loss": 0.0}
    session = json.loads(given["metadata"].pop("store_session_info"))
    assert given["metadata"] == stored | {"display_name": "x"}
    assert session["Provider"] == "s3"
    assert session["Params"]["secretName"] == "tandem-store"


def test_every_task_has_its_log_as_an_output_of_its_own(noted, tmp_path):
    """Nobody declares it, and each attempt has another."""
    backend = Backend(str(tmp_path / "root"), tmp_path / "pods", sleep=lambda seconds: None)
    code = (
        "import json, sys; made = json.loads(sys.argv[2])['outputs']['artifacts'];"
        "log = made.pop('executor-logs')['artifacts'][0]; assert not made;"
        "open(sys.argv[1], 'a').write(log['type']['schemaTitle'] + ' ' + log['uri'] + '\\n');"
        "print('as it went'); sys.exit(log['uri'][-1] == '0')"
    )
    path = written(
        tmp_path / "d.yaml",
        {"a": task("a", retryPolicy={"maxRetryCount": 1})},
        {"a": container(code, noted.file, "{{$}}")},
    )
    assert backend.run(path).succeeded
    kind, first, same_kind, second = noted()
    assert kind == same_kind == "system.Artifact"
    assert first.removesuffix("-0") == second.removesuffix("-1")
    assert first.rpartition("/")[2] == "executor-logs-0"
    assert pathlib.Path(first).read_text() == pathlib.Path(second).read_text() == "as it went\n"


def test_output_metadata_is_below_the_local_path_of_the_root(bucket, noted, tmp_path):
    backend = Backend(f"{bucket}/root", tmp_path / "pods")
    code = "import sys; open(sys.argv[1], 'w').write(sys.argv[2] + ' ' + sys.argv[3])"
    placeholders = ["{{$.outputs.artifacts['x'].uri}}", "{{$}}"]
    path = written(
        tmp_path / "d.yaml",
        {"a": task("a")},
        {"a": container(code, noted.file, *placeholders)},
        {"a": produces("a", "x")},
    )
    run = backend.run(path)
    uri, executor_input = " ".join(noted()).split(" ", 1)
    at = json.loads(executor_input)["outputs"]["outputFile"]
    local = uri.replace("s3://", "/s3/").removesuffix("/x")
    assert at.endswith(f"/pods/{run.id}/a{local}/output_metadata.json")


def test_a_run_is_called_one_thing_by_kfp_and_another_by_argo(backend, noted, tmp_path):
    placeholders = ["{{$.pipeline_job_uuid}}", "{{$.pipeline_job_resource_name}}"]
    path = written(
        tmp_path / "d.yaml",
        {"a": task("a", inputs=constants(id=placeholders[0], resource=placeholders[1]))},
        {
            "a": container(
                "import sys; open(sys.argv[1], 'w').write(' '.join(sys.argv[2:]))",
                noted.file,
                "{{$.inputs.parameters['id']}}",
                "{{$.inputs.parameters['resource']}}",
            )
        },
        {"a": component("a", id="STRING", resource="STRING")},
    )
    run = backend.run(path)
    assert noted() == [run.id, run.workflow]
    assert run.id != run.workflow


def test_a_parameter_goes_from_one_task_to_the_next(backend, noted, tmp_path):
    measured = {"parameters": {"n": {"parameterType": "NUMBER_INTEGER"}}}
    of = {"producerTask": "a", "outputParameterKey": "n"}
    path = written(
        tmp_path / "d.yaml",
        {
            "a": task("a"),
            "b": task("b", inputs={"parameters": {"m": {"taskOutputParameter": of}}}),
        },
        {
            "a": container(
                "import sys; open(sys.argv[1], 'w').write(' 12\\n')",
                "{{$.outputs.parameters['n'].output_file}}",
            ),
            "b": container(NOTE, noted.file, "{{$.inputs.parameters['m']}}"),
        },
        {
            "a": component("a") | {"outputDefinitions": measured},
            "b": component("b", m="NUMBER_INTEGER"),
        },
    )
    assert backend.run(path).succeeded
    assert noted() == ["12"]


def chain(path, noted, first="1"):
    """`a` with a parameter, `b` that takes from `a`, `c` on its own, `d` that is never cached."""
    tasks = {
        "a": task("a", inputs=constants(first=first)),
        "b": task("b", inputs={"artifacts": {"x": {"taskOutputArtifact": out("a")}}}),
        "c": task("c"),
        "d": task("d", cachingOptions={}),
    }
    takes = {"parameters": {"first": {"parameterType": "STRING"}}}
    declared = {"a": produces("a", "x") | {"inputDefinitions": takes}, "b": consumes("b", "x")}
    return written(path, tasks, noting(noted, "abcd"), declared)


def test_what_has_not_changed_comes_from_the_cache(backend, noted, tmp_path):
    backend.run(chain(tmp_path / "d.yaml", noted))
    assert sorted(noted()) == ["a", "b", "c", "d"]
    second = backend.run(chain(tmp_path / "d.yaml", noted))
    assert noted() == ["d"]
    assert second.ended(CACHED) == set("abc")
    assert second.succeeded


def test_another_pipeline_has_a_cache_of_its_own(backend, noted, tmp_path):
    path = chain(tmp_path / "d.yaml", noted)
    backend.run(path)
    noted()
    path.write_text(path.read_text().replace("by-hand", "by-other-hands"))
    assert not backend.run(path).ended(CACHED)


def test_a_change_executes_what_follows_from_it_and_no_more(backend, noted, tmp_path):
    backend.run(chain(tmp_path / "d.yaml", noted))
    noted()
    changed = backend.run(chain(tmp_path / "d.yaml", noted, "2"))
    assert changed.ended(CACHED) == {"c"}
    backend.run(chain(tmp_path / "d.yaml", noted, "1"))
    assert sorted(noted()) == ["a", "b", "d", "d"]


def test_a_failure_stops_what_depends_on_it_alone_and_is_not_cached(backend, noted, tmp_path):
    tasks = {"a": task("a"), "b": task("b", "a"), "c": task("c"), "d": task("d", "c")}
    executors = noting(noted, "bcd") | noting(noted, "a", FAIL)
    path = written(tmp_path / "d.yaml", tasks, executors)
    run = backend.run(path)
    assert not run.succeeded
    assert run.ended(FAILED) == {"a"}
    assert run.ended(COMPLETE) == {"c", "d"}
    assert "b" not in run.executions
    assert sorted(noted()) == ["a", "c", "d"]
    assert not backend.run(path).succeeded
    assert noted() == ["a"]


def test_a_failed_task_is_retried_according_to_its_policy(noted, tmp_path):
    waited: list[float] = []
    backend = Backend(str(tmp_path / "root"), tmp_path / "pods", sleep=waited.append)
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
        "third": container(third, noted.file, "{{$}}"),
    }
    path = written(tmp_path / "d.yaml", tasks, executors, {"third": produces("third", "x")})
    run = backend.run(path)
    attempts = {name: (e.state, e.attempts) for name, e in run.executions.items()}
    assert attempts == {"always": (FAILED, 4), "third": (COMPLETE, 3)}
    assert sorted(waited) == [10, 10, 20, 20, 30]
    assert len(set(noted())) == 1, "every attempt has the same places to write to"


def test_a_nested_dag_has_inputs_and_outputs(backend, noted, tmp_path):
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
    path = written(
        tmp_path / "d.yaml",
        {
            "all": task("all", inputs=constants(m="five")),
            "b": task("b", inputs={"artifacts": {"z": {"taskOutputArtifact": out("all", "y")}}}),
        },
        {
            "a": container(
                write, "{{$.outputs.artifacts['x'].path}}", "{{$.inputs.parameters['n']}}"
            ),
            "b": container(read, noted.file, "{{$.inputs.artifacts['z'].path}}"),
        },
        {
            "all": inner,
            "a": component("a", n="STRING")
            | {"outputDefinitions": produces("a", "x")["outputDefinitions"]},
            "b": consumes("b", "z"),
        },
    )
    run = backend.run(path)
    assert run.succeeded, [e.log for e in run.executions.values()]
    assert noted() == ["five"]


def test_a_container_sees_its_own_environment_and_nothing_of_ours(noted, tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "ours")
    backend = Backend(str(tmp_path / "root"), tmp_path / "pods", {"FROM_THE_IMAGE": "1"})
    code = "import sys, os, json; open(sys.argv[1], 'w').write(json.dumps(dict(os.environ)))"
    executors = {"a": container(code, noted.file, env=[{"name": "OWN", "value": "2"}])}
    backend.run(written(tmp_path / "d.yaml", {"a": task("a")}, executors))
    received = json.loads(" ".join(noted()))
    assert "AWS_SECRET_ACCESS_KEY" not in received
    assert (received["FROM_THE_IMAGE"], received["OWN"]) == ("1", "2")
    assert received["TF_USE_LEGACY_KERAS"] == "1"
