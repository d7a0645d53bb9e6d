"""Parsing of the locations that users write."""

import pathlib

import pytest

from schema.errors import UsageError
from schema.storage.locations import (
    READABLE_SCHEMES,
    is_remote,
    parse_local,
    parse_location,
    parse_table_path,
    parse_task_location,
)


@pytest.fixture(autouse=True)
def home(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("runs/shop", "runs/shop"), ("./runs/", "./runs"), ("/", "/"), ("//", "/"), (".", "."),
        ("/data/shop//", "/data/shop"), ("a b/é#?", "a b/é#?"), ("s3", "s3"), ("x:/y", "x:/y"),
        ("./s3:/bucket", "./s3:/bucket"), ("./a://b", "./a://b"),
        ("~", "/home/me"), ("~/runs/", "/home/me/runs"), ("./~", "./~"),
        ("file:///data/shop/", "/data/shop"), ("file:///my%20logs", "/my logs"),
        ("file://localhost/data", "/data"), ("file:/data", "/data"), ("file:///", "/"),
        ("s3://bucket", "s3://bucket"), ("s3://bucket/", "s3://bucket"),
        ("s3://bucket/x/y//", "s3://bucket/x/y"), ("gs://my_bucket.of-me/x", "gs://my_bucket.of-me/x"),
        ("s3://bucket/~/[1]*?/{SPAN}", "s3://bucket/~/[1]*?/{SPAN}"),
    ],
)  # fmt: skip
def test_a_location_is_parsed(text, read):
    assert parse_location(text) == read
    assert parse_location(read) == read


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "expected a path or a URL, received ''; name one"),
        (" \t", r"expected a path or a URL, received ' \t'; name one"),
        ("a\0b", r"expected a path or a URL, received 'a\x00b'; name one"),
        ("~nobody-here/x", "expected an existing home folder, received '~nobody-here/x'; "
         "write ./~nobody-here/x for a name that begins with ~"),
        ("s3:/bucket/x", "expected two slashes after s3:, received 's3:/bucket/x'; "
         "add them, or write ./s3:/bucket/x for a path"),
        ("gs:bucket", "expected two slashes after gs:, received 'gs:bucket'; "
         "add them, or write ./gs:bucket for a path"),
        ("minio://bucket/x", "expected a path, or a URL with s3:// or gs://, "
         "received 'minio://bucket/x'; give one of these"),
        ("S3://bucket", "expected a path, or a URL with s3:// or gs://, received 'S3://bucket'; "
         "give one of these"),
        ("hdfs://host/x", "expected a path, or a URL with s3:// or gs://, "
         "received 'hdfs://host/x'; give one of these"),
        ("s3://", "expected a bucket after s3://, received 's3://'; write s3://BUCKET/FOLDER"),
        ("s3:///x", "expected a bucket after s3://, received 's3:///x'; write s3://BUCKET/FOLDER"),
        ("gs://key@bucket/x", "expected a bucket after gs://, received 'gs://key@bucket/x'; "
         "write gs://BUCKET/FOLDER"),
        ("s3://b?region=x", "expected a bucket after s3://, received 's3://b?region=x'; "
         "write s3://BUCKET/FOLDER"),
        ("s3://b//x", "expected no // within a URL, received 's3://b//x'; "
         "write the URL without it"),
        ("s3://b/x/../y", "expected no /../ within a URL, received 's3://b/x/../y'; "
         "write the URL without it"),
        ("s3://b/./y", "expected no /./ within a URL, received 's3://b/./y'; "
         "write the URL without it"),
        ("file://data/x", "expected file:/// and an absolute path, received 'file://data/x'; "
         "write the path itself"),
    ],
)  # fmt: skip
def test_an_invalid_location_is_refused(text, sentence):
    with pytest.raises(UsageError) as refused:
        parse_location(text)
    assert str(refused.value) == sentence


def test_a_local_path_is_not_a_url():
    assert parse_local("~/shop.toml") == pathlib.Path("/home/me/shop.toml")
    with pytest.raises(UsageError, match="expected a local path, received 's3://b/x'"):
        parse_local("s3://b/x")


@pytest.mark.parametrize("text", ["~/logs", "logs", "./logs"])
def test_a_task_location_does_not_depend_on_home_or_working_folder(text):
    with pytest.raises(UsageError, match="expected a URL or an absolute path, valid for the tasks"):
        parse_task_location(text)


def test_a_task_location_is_valid_on_every_machine():
    assert parse_task_location("/data/") == "/data"
    assert (
        parse_task_location("hdfs://name:9000/logs/", READABLE_SCHEMES) == "hdfs://name:9000/logs"
    )


def test_a_table_path_can_begin_with_a_tilde():
    assert parse_table_path("~logs/*.csv") == "~logs/*.csv"
    assert parse_table_path("hdfs:///logs/") == "hdfs:///logs"
    with pytest.raises(UsageError, match="a bucket after hdfs://"):
        parse_table_path("hdfs://")


@pytest.mark.parametrize("text", ["s3://b/x", "gs://b", "hdfs://x", "minio://b"])
def test_urls_are_remote(text):
    assert is_remote(text)


@pytest.mark.parametrize("text", ["/a", "./a://b", "s3:/b", "[1]://x"])
def test_paths_are_not_remote(text):
    assert not is_remote(text)
