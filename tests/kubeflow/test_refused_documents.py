"""The emulator refuses the same documents as KFP; each test also runs a valid one."""

import pytest
from google.protobuf.json_format import ParseError

from tests.kubeflow.document import DocumentRefused
from tests.kubeflow.hand_written import build_executors, component, container, task, write_document


def test_an_image_that_is_not_a_parameter_of_the_task_is_refused(backend, read_notes, tmp_path):
    executors = build_executors(read_notes, "a")
    executors["a"]["container"]["image"] = "{{$.inputs.parameters['image']}}"
    inputs = {"parameters": {"image": {"componentInputParameter": "image"}}}
    run_time = {"parameterType": "STRING", "defaultValue": "tandem:1"}
    path = tmp_path / "d.yaml"
    declared = {"a": component("a", image="STRING")}
    tasks = {"a": task("a", inputs=inputs)}
    assert backend.run(write_document(path, tasks, executors, declared, image=run_time)).succeeded
    with pytest.raises(DocumentRefused, match="no input parameter"):
        backend.run(write_document(path, {"a": task("a")}, executors, image=run_time))


def test_only_optional_parameters_may_have_no_value(backend, read_notes, tmp_path):
    inputs = {"parameters": {"n": {"componentInputParameter": "n"}}}
    declared = component("a", n="NUMBER_INTEGER")
    n = declared["inputDefinitions"]["parameters"]["n"]
    n["defaultValue"] = 3
    tasks, executors = {"a": task("a", inputs=inputs)}, build_executors(read_notes, "a")
    run_time = {"parameterType": "NUMBER_INTEGER", "isOptional": True}
    path = tmp_path / "d.yaml"
    with pytest.raises(DocumentRefused, match="null"):
        backend.run(write_document(path, tasks, executors, {"a": declared}, n=run_time))
    n["isOptional"] = True
    assert backend.run(
        write_document(path, tasks, executors, {"a": declared}, n=run_time)
    ).succeeded


def test_a_name_that_argo_refuses(backend, tmp_path):
    path = write_document(tmp_path / "d.yaml", {"a.b": task("a.b")}, {"a.b": container("")})
    with pytest.raises(DocumentRefused, match="a.b: Argo"):
        backend.run(path)


def test_a_resolver_is_refused(backend, tmp_path):
    path = write_document(tmp_path / "d.yaml", {"a": task("a")}, {"a": {"resolver": {}}})
    with pytest.raises(DocumentRefused, match="received resolver"):
        backend.run(path)


def test_a_second_document_must_be_a_platform_spec(backend, read_notes, tmp_path):
    tasks, executors = {"a": task("a")}, build_executors(read_notes, "a")
    kubernetes = {
        "deploymentSpec": {"executors": {"a": {"nodeSelector": {"labels": {"gpu": "1"}}}}}
    }
    good = {"platforms": {"kubernetes": kubernetes}}
    assert backend.run(
        write_document(tmp_path / "d.yaml", tasks, executors, platform=good)
    ).succeeded
    with pytest.raises(ParseError):
        backend.run(
            write_document(tmp_path / "d.yaml", tasks, executors, platform={"platform": {}})
        )
