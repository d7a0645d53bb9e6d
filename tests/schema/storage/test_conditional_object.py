"""Conditional writes, also by two writers, against local servers and boto3."""

from typing import Any

import boto3
import pytest

from schema.errors import UsageError
from schema.storage import object_store
from schema.storage.conditional_object import ConditionalObject


def test_the_first_of_two_writers_wins(bucket):
    one, other = ConditionalObject(f"{bucket}/a/b"), ConditionalObject(f"{bucket}/a/b")
    assert (one.read(), other.read()) == (None, None)
    assert one.is_current()
    assert other.is_current()
    assert one.replace(b"one")
    assert one.is_current()
    assert not other.is_current()
    assert not other.replace(b"other")
    assert object_store.read(f"{bucket}/a/b") == b"one"
    assert one.replace(b"one again")
    assert object_store.read(f"{bucket}/a/b") == b"one again"


def test_a_writer_replaces_what_it_has_read(bucket):
    first = ConditionalObject(f"{bucket}/a")
    assert first.replace(b"first")
    second = ConditionalObject(f"{bucket}/a")
    assert second.read() == b"first"
    assert second.replace(b"second")
    assert not first.replace(b"first again")
    assert not first.is_current()
    assert second.read() == b"second"


def test_a_removed_object_is_not_written_again(bucket):
    writer = ConditionalObject(f"{bucket}/a")
    assert writer.replace(b"content")
    object_store.remove(f"{bucket}/a")
    assert not writer.is_current()
    assert not writer.replace(b"more")
    assert object_store.list_files(bucket) == []


def test_a_writer_recognises_its_own_write_whose_answer_was_lost(bucket, monkeypatch):
    writer = ConditionalObject(f"{bucket}/a")
    write = writer._client.write

    def lose_answer(*args: Any) -> str:
        write(*args)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(writer._client, "write", lose_answer)
        with pytest.raises(KeyboardInterrupt):
            writer.replace(b"one")
    assert object_store.read(f"{bucket}/a") == b"one"
    assert writer.is_current()
    assert writer.replace(b"two")
    assert object_store.read(f"{bucket}/a") == b"two"


def test_an_object_of_another_program_is_replaced_once_read(bucket):
    client = boto3.client("s3")
    client.put_object(Bucket=bucket.removeprefix("s3://"), Key="a", Body=b"theirs")
    writer = ConditionalObject(f"{bucket}/a")
    assert not writer.replace(b"mine")
    assert writer.read() == b"theirs"
    assert writer.replace(b"mine")


def test_an_unreachable_store_is_an_os_error(monkeypatch, bucket):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(OSError, match=r"127\.0\.0\.1:9"):
        ConditionalObject(f"{bucket}/a").read()
    with pytest.raises(OSError, match=r"127\.0\.0\.1:9"):
        ConditionalObject(f"{bucket}/a").replace(b"a")


def test_an_unsupported_store_is_refused():
    with pytest.raises(UsageError, match=r"s3:// or gs://, received ftp://host/x"):
        ConditionalObject("ftp://host/x")
