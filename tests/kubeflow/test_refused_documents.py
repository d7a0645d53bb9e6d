"""What KFP refuses in a document, the emulator refuses too, each beside a document that runs."""

import pytest
from google.protobuf.json_format import ParseError

from tests.kubeflow.document import Refused
from tests.kubeflow.hand_written import component, container, noting, task, written


def test_an_image_that_no_parameter_of_the_task_is_is_refused(backend, noted, tmp_path):
    executors = noting(noted, "a")
    executors["a"]["container"]["image"] = "{{$.inputs.parameters['image']}}"
    takes = {"parameters": {"image": {"componentInputParameter": "image"}}}
    run_time = {"parameterType": "STRING", "defaultValue": "tandem:1"}
    path = tmp_path / "d.yaml"
    declared = {"a": component("a", image="STRING")}
    given = {"a": task("a", inputs=takes)}
    assert backend.run(written(path, given, executors, declared, image=run_time)).succeeded
    with pytest.raises(Refused, match="no input parameter"):
        backend.run(written(path, {"a": task("a")}, executors, image=run_time))


def test_no_value_is_for_optional_parameters_alone(backend, noted, tmp_path):
    takes = {"parameters": {"n": {"componentInputParameter": "n"}}}
    declared = component("a", n="NUMBER_INTEGER")
    n = declared["inputDefinitions"]["parameters"]["n"]
    n["defaultValue"] = 3
    given, executors = {"a": task("a", inputs=takes)}, noting(noted, "a")
    run_time = {"parameterType": "NUMBER_INTEGER", "isOptional": True}
    path = tmp_path / "d.yaml"
    with pytest.raises(Refused, match="null"):
        backend.run(written(path, given, executors, {"a": declared}, n=run_time))
    n["isOptional"] = True
    assert backend.run(written(path, given, executors, {"a": declared}, n=run_time)).succeeded


def test_a_name_that_argo_refuses(backend, tmp_path):
    path = written(tmp_path / "d.yaml", {"a.b": task("a.b")}, {"a.b": container("")})
    with pytest.raises(Refused, match="a.b: Argo"):
        backend.run(path)


def test_a_resolver_is_refused(backend, tmp_path):
    path = written(tmp_path / "d.yaml", {"a": task("a")}, {"a": {"resolver": {}}})
    with pytest.raises(Refused, match="received resolver"):
        backend.run(path)


def test_a_second_document_has_to_be_a_platform_spec(backend, noted, tmp_path):
    tasks, executors = {"a": task("a")}, noting(noted, "a")
    kubernetes = {
        "deploymentSpec": {"executors": {"a": {"nodeSelector": {"labels": {"gpu": "1"}}}}}
    }
    good = {"platforms": {"kubernetes": kubernetes}}
    assert backend.run(written(tmp_path / "d.yaml", tasks, executors, platform=good)).succeeded
    with pytest.raises(ParseError):
        backend.run(written(tmp_path / "d.yaml", tasks, executors, platform={"platform": {}}))
