"""Object stores on local servers, compared with boto3."""

import contextlib
import gzip
import os
import pathlib

import boto3
import pytest

from schema.errors import UsageError
from schema.storage import object_store


def names_in(bucket: str) -> list[str]:
    """The bucket's keys, listed by another client."""
    listed = boto3.client("s3").list_objects_v2(Bucket=bucket.removeprefix("s3://"))
    return [entry["Key"] for entry in listed.get("Contents", [])]


def put(bucket: str, key: str, content: bytes) -> None:
    boto3.client("s3").put_object(Bucket=bucket.removeprefix("s3://"), Key=key, Body=content)


@pytest.fixture
def folder(tmp_path):
    source = tmp_path / "source"
    (source / "variables").mkdir(parents=True)
    (source / "graph.pb").write_bytes(b"graph")
    (source / "variables" / "data").write_bytes(os.urandom(5_000_000))
    (source / "variables" / "empty").touch()
    return source


def test_a_folder_is_downloaded_as_it_was_uploaded(bucket, folder, tmp_path):
    object_store.upload(folder, f"{bucket}/run/model")
    assert names_in(bucket) == [
        "run/model/graph.pb", "run/model/variables/data", "run/model/variables/empty",
    ]  # fmt: skip
    object_store.download(f"{bucket}/run/model", tmp_path / "copy")
    for path in folder.rglob("*"):
        copy = tmp_path / "copy" / path.relative_to(folder)
        assert copy.is_dir() if path.is_dir() else copy.read_bytes() == path.read_bytes()


def test_a_file_larger_than_a_part_is_copied_completely(bucket, tmp_path, monkeypatch):
    monkeypatch.setattr(object_store, "_PART_BYTES", 6_000_000)
    content = os.urandom(13_000_001)
    (tmp_path / "large").write_bytes(content)
    object_store.upload_file(tmp_path / "large", f"{bucket}/large")
    assert object_store.read(f"{bucket}/large") == content
    object_store.download(bucket, tmp_path / "copy")
    assert (tmp_path / "copy" / "large").read_bytes() == content


def test_a_compressed_file_is_copied_unchanged(bucket, tmp_path):
    """By default, Arrow compresses and decompresses by the name."""
    packed = gzip.compress(b"a line\n")
    (tmp_path / "log.gz").write_bytes(packed)
    object_store.upload_file(tmp_path / "log.gz", f"{bucket}/log.gz")
    response = boto3.client("s3").get_object(Bucket=bucket.removeprefix("s3://"), Key="log.gz")
    assert response["Body"].read() == packed
    assert object_store.read(f"{bucket}/log.gz") == packed
    object_store.download(bucket, tmp_path / "copy")
    assert (tmp_path / "copy" / "log.gz").read_bytes() == packed


def test_markers_of_empty_folders_are_not_files(bucket, tmp_path):
    put(bucket, "run/model/", b"")
    put(bucket, "run/model/data", b"x")
    assert object_store.list_files(f"{bucket}/run/model") == ["data"]
    object_store.download(f"{bucket}/run/model", tmp_path / "copy")
    assert [path.name for path in (tmp_path / "copy").iterdir()] == ["data"]


def test_a_folder_does_not_match_longer_names(bucket):
    put(bucket, "model/1/data", b"x")
    put(bucket, "model/11/data", b"x")
    assert object_store.list_files(f"{bucket}/model/1") == ["data"]
    object_store.remove(f"{bucket}/model/1")
    assert object_store.list_files(f"{bucket}/model") == ["11/data"]


def test_a_missing_folder_is_empty(bucket):
    assert object_store.list_files(f"{bucket}/nothing") == []
    object_store.remove(f"{bucket}/nothing")
    with pytest.raises(FileNotFoundError):
        object_store.read(f"{bucket}/nothing")


def test_folders_are_the_names_before_a_slash(bucket):
    for key in ("run/a/1/data", "run/b/data", "run/file", "other/c/data"):
        put(bucket, key, b"x")
    assert object_store.list_folders(f"{bucket}/run") == ["a", "b"]
    assert object_store.list_folders(f"{bucket}/nothing") == []
    assert object_store.is_file(f"{bucket}/run/file")
    assert not object_store.is_file(f"{bucket}/run/a")


def test_a_missing_bucket_is_empty_and_can_be_required(bucket):
    assert object_store.list_files(f"{bucket}-other/x") == []
    object_store.require_bucket(f"{bucket}/run")
    with pytest.raises(FileNotFoundError, match="no bucket 'bucket-"):
        object_store.require_bucket(f"{bucket}-other/x")


def test_an_invalid_endpoint_is_named(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "minio:9000")
    with pytest.raises(UsageError, match="one like http://host:9000, received 'minio:9000'"):
        object_store.list_files("s3://bucket/x")


def test_an_unreachable_store_is_a_usage_error(bucket, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(UsageError, match=f"object store at {bucket}, received: "), _reached(bucket):
        pass


@contextlib.contextmanager
def _reached(bucket: str):
    with object_store.translate_errors(bucket):
        yield object_store.list_files(bucket)


def test_an_unsupported_store_is_refused():
    with pytest.raises(UsageError, match=r"s3:// or gs://, received ftp://host"):
        object_store.list_files("ftp://host/x")


def test_written_files_are_uploaded_even_after_an_error(bucket, tmp_path):
    def write_and_fail() -> None:
        with object_store.open_output_folder(f"{bucket}/logs") as folder:
            pathlib.Path(folder, "events").write_text("x")
            raise KeyError(folder)

    with pytest.raises(KeyError) as caught:
        write_and_fail()
    assert object_store.read(f"{bucket}/logs/events") == b"x"
    assert not pathlib.Path(caught.value.args[0]).exists()
    with object_store.open_output_folder(str(tmp_path)) as folder:
        assert folder == str(tmp_path)


def test_googles_store_supports_folders(gs_bucket, folder, tmp_path):
    object_store.upload(folder, f"{gs_bucket}/run/model", without=["graph.pb"])
    names = ["variables/data", "variables/empty"]
    assert object_store.list_files(f"{gs_bucket}/run/model") == names
    assert object_store.list_folders(f"{gs_bucket}/run") == ["model"]
    assert object_store.list_files(f"{gs_bucket}/nothing") == object_store.list_folders(
        gs_bucket + "/no"
    )
    object_store.download(f"{gs_bucket}/run", tmp_path / "copy")
    copy = tmp_path / "copy" / "model" / "variables" / "data"
    assert copy.read_bytes() == (folder / "variables" / "data").read_bytes()
    object_store.remove(f"{gs_bucket}/run/model/variables")
    assert object_store.list_files(gs_bucket) == []
    object_store.require_bucket(gs_bucket)
    with pytest.raises(FileNotFoundError, match="no bucket 'other'"):
        object_store.require_bucket("gs://other/run")
    with pytest.raises(FileNotFoundError):
        object_store.read(f"{gs_bucket}/nothing")
