"""Components receive local folders for artifacts at any location."""

import pathlib

import pytest
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.proto.orchestration import execution_result_pb2
from tfx.types import standard_artifacts

from components.artifacts.local_copies import LocalCopiesMixin, find_stored_uri, use_local_copies
from schema.storage import object_store

RECEIVED_URIS: list[str] = []


@component
@use_local_copies
def Copier(
    source: InputArtifact[standard_artifacts.Model],
    target: OutputArtifact[standard_artifacts.Model],
    suffix: Parameter[str],
) -> None:
    """Writes the word that it reads, with a suffix; fails if the word is missing."""
    RECEIVED_URIS[:] = [source.uri, target.uri]
    pathlib.Path(target.uri, "begun").touch()
    word = pathlib.Path(source.uri, "word").read_text()
    pathlib.Path(target.uri, "sub").mkdir()
    pathlib.Path(target.uri, "sub", "word").write_text(word + suffix)
    target.set_string_custom_property("word", word + suffix)


def model(uri: str) -> standard_artifacts.Model:
    artifact = standard_artifacts.Model()
    artifact.uri = uri
    return artifact


def laid(tmp_path: pathlib.Path, uri: str, word: str) -> standard_artifacts.Model:
    (tmp_path / "word").write_text(word)
    object_store.upload_file(tmp_path / "word", f"{uri}/word")
    return model(uri)


def test_inputs_and_outputs_are_in_the_store(bucket, tmp_path):
    source, target = laid(tmp_path, f"{bucket}/a/1", "word"), model(f"{bucket}/b/2")
    Copier.test_call(source=source, target=target, suffix="s")
    assert object_store.read(f"{bucket}/b/2/sub/word") == b"words"
    assert not any(uri.startswith("s3:") for uri in RECEIVED_URIS)
    assert (source.uri, target.uri) == (f"{bucket}/a/1", f"{bucket}/b/2")
    assert target.get_string_custom_property("word") == "words"


def test_the_executor_from_tfx_does_the_same(bucket, tmp_path):
    executor = Copier.EXECUTOR_SPEC.executor_class()  # pyright: ignore[reportAttributeAccessIssue]
    source, target = laid(tmp_path, f"{bucket}/a/1", "word"), model(f"{bucket}/b/2")
    executor.Do({"source": [source]}, {"target": [target]}, {"suffix": "s"})
    assert object_store.read(f"{bucket}/b/2/sub/word") == b"words"


def test_output_is_read_without_another_copy(bucket, tmp_path):
    source, middle = laid(tmp_path, f"{bucket}/a/1", "word"), model(f"{bucket}/b/2")
    Copier.test_call(source=source, target=middle, suffix="s")
    object_store.remove(f"{bucket}/a")
    again = model(f"{bucket}/c/3")
    Copier.test_call(source=source, target=again, suffix="!")
    assert object_store.read(f"{bucket}/c/3/sub/word") == b"word!"
    assert find_stored_uri(RECEIVED_URIS[0]) == f"{bucket}/a/1"
    assert find_stored_uri("/somewhere") == "/somewhere"


def test_output_of_a_failed_component_is_uploaded(bucket):
    source, target = model(f"{bucket}/nothing"), model(f"{bucket}/b/2")
    with pytest.raises(FileNotFoundError):
        Copier.test_call(source=source, target=target, suffix="s")
    assert object_store.list_files(f"{bucket}/b") == ["2/begun"]
    assert (source.uri, target.uri) == (f"{bucket}/nothing", f"{bucket}/b/2")


def test_local_folders_are_not_copied(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "a" / "word").write_text("word")
    source, target = model(str(tmp_path / "a")), model(str(tmp_path / "b"))
    Copier.test_call(source=source, target=target, suffix="s")
    assert [str(tmp_path / "a"), str(tmp_path / "b")] == RECEIVED_URIS
    assert (tmp_path / "b" / "sub" / "word").read_text() == "words"


class Stock:
    """An executor like TFX's."""

    def Do(self, input_dict, output_dict, exec_properties):
        (source,), (target,) = input_dict["source"], output_dict["target"]
        RECEIVED_URIS[:] = [source.uri, target.uri]
        if exec_properties["write"]:
            word = pathlib.Path(source.uri, "word").read_bytes()
            pathlib.Path(target.uri, "word").write_bytes(word)
        result = execution_result_pb2.ExecutorOutput()
        result.output_artifacts["target"].artifacts.add().CopyFrom(target.mlmd_artifact)
        return result


class Extended(LocalCopiesMixin, Stock):
    """The same, with local copies."""


def test_an_executor_of_tfx_does_the_same(bucket, tmp_path):
    source, target = laid(tmp_path, f"{bucket}/a/1", "word"), model(f"{bucket}/b/2")
    output = Extended().Do({"source": [source]}, {"target": [target]}, {"write": True})
    assert object_store.read(f"{bucket}/b/2/word") == b"word"
    (artifact,) = output.output_artifacts["target"].artifacts
    assert artifact.uri == f"{bucket}/b/2"


def test_gs_urls_are_not_copied_for_beam():
    uris = ["gs://bucket/a", "gs://bucket/b"]
    source, target = map(model, uris)
    Extended().Do({"source": [source]}, {"target": [target]}, {"write": False})
    assert uris == RECEIVED_URIS
