"""An object that is replaced only if nobody else has replaced it since it was read.

A store compares the version that a writer expects, S3's ETag or Google's generation, with that of
the object, and refuses the write if they differ. Arrow's file systems have no such write; boto3 and
google-cloud-storage do.

A write that is repeated after a broken connection, or interrupted before its answer, may find the
version of its own first attempt. Each writer therefore marks the object with a name of its own.
"""

import contextlib
import os
import uuid
from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol

from schema.errors import UsageError

_WRITER = "tandem-writer"
_ATTEMPTS = 5
_CONNECT_SECONDS, _READ_SECONDS = 5, 20


class Version(NamedTuple):
    """One state of an object."""

    tag: str
    """ETag or generation; "" if there is no object."""
    writer: str = ""
    """Name of the writer, "" for one that does not mark its objects."""


class _Client(Protocol):
    """The operations on one object. All raise OSError if the store cannot be reached."""

    def find_version(self) -> Version: ...

    def read(self) -> tuple[bytes, Version]:
        """Raises FileNotFoundError if there is no object."""
        ...

    def write(self, content: bytes, writer: str, expected: str) -> str:
        """Writes if the object has the tag `expected`. Returns the new tag, "" if the store has
        refused the write.
        """
        ...


class ConditionalObject:
    """The object at one URL, for one writer.

    Methods raise OSError if the store cannot be reached, or does not support conditional writes.
    """

    def __init__(self, uri: str):
        """Accesses nothing; raises UsageError for an unsupported scheme or a missing package."""
        self._uri = uri
        self._client = _make_client(uri)
        self._writer = uuid.uuid4().hex
        self._tag = ""

    def read(self) -> bytes | None:
        """Returns the content, None if there is no object. Later writes expect this version."""
        try:
            content, (self._tag, _) = self._client.read()
        except FileNotFoundError:
            self._tag = ""
            return None
        return content

    def is_current(self) -> bool:
        """Returns whether the object is as it was read or written here last."""
        version = self._client.find_version()
        return self._is_own(version)

    def replace(self, content: bytes) -> bool:
        """Writes the object, unless another writer has replaced it; returns whether it did."""
        for _ in range(_ATTEMPTS):
            if tag := self._client.write(content, self._writer, self._tag):
                self._tag = tag
                return True
            version = self._client.find_version()
            if not self._is_own(version):
                return False
            self._tag = version.tag
        raise OSError(f"{self._uri}: {_ATTEMPTS} conditional writes were refused without a reason")

    def _is_own(self, version: Version) -> bool:
        return version.tag == self._tag or version.writer == self._writer


def _make_client(uri: str) -> _Client:
    scheme, _, path = uri.partition("://")
    bucket, _, key = path.partition("/")
    clients = {"s3": (_S3Object, "boto3"), "gs": (_GoogleObject, "google-cloud-storage")}
    if scheme not in clients:
        raise UsageError(f"expected a URL with s3:// or gs://, received {uri}; give one of these")
    kind, package = clients[scheme]
    try:
        return kind(bucket, key)
    except ImportError as error:
        raise UsageError(
            f"{uri}: expected the package {package} for {scheme}:// URLs, found none; install it "
            f"with: pip install {package}"
        ) from error


class _S3Object:
    def __init__(self, bucket: str, key: str):
        import boto3
        from botocore.config import Config

        settings = Config(
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
        )
        region = os.environ.get("AWS_REGION")  # which Arrow reads and boto3 does not
        self._client: Any = boto3.client("s3", config=settings, region_name=region)
        self._name = {"Bucket": bucket, "Key": key}

    def find_version(self) -> Version:
        with _convert_s3_errors():
            try:
                found = self._client.head_object(**self._name)
            except self._client.exceptions.ClientError as error:
                if _get_status(error) == 404:
                    return Version("")
                raise
        return Version(found["ETag"], found["Metadata"].get(_WRITER, ""))

    def read(self) -> tuple[bytes, Version]:
        with _convert_s3_errors():
            try:
                found = self._client.get_object(**self._name)
            except self._client.exceptions.NoSuchKey:
                raise FileNotFoundError(self._name["Key"]) from None
            version = Version(found["ETag"], found["Metadata"].get(_WRITER, ""))
            return found["Body"].read(), version

    def write(self, content: bytes, writer: str, expected: str) -> str:
        condition = {"IfMatch": expected} if expected else {"IfNoneMatch": "*"}
        marks = {_WRITER: writer}
        with _convert_s3_errors():
            try:
                written = self._client.put_object(
                    **self._name, Body=content, Metadata=marks, **condition
                )
            except self._client.exceptions.NoSuchKey:  # it was removed
                return ""
            except self._client.exceptions.ClientError as error:
                if _get_status(error) in (409, 412):  # 409: another write is in progress
                    return ""
                raise
        return written["ETag"]


def _get_status(error: Any) -> int:
    return error.response["ResponseMetadata"]["HTTPStatusCode"]


@contextlib.contextmanager
def _convert_s3_errors() -> Iterator[None]:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise OSError(str(error)) from error


class _GoogleObject:
    def __init__(self, bucket: str, name: str):
        from google.cloud import storage

        self._bucket = storage.Client().bucket(bucket)
        self._name = name

    def find_version(self) -> Version:
        with _convert_google_errors():
            return _describe_blob(self._bucket.get_blob(self._name))

    def read(self) -> tuple[bytes, Version]:
        with _convert_google_errors():
            blob = self._bucket.get_blob(self._name)
            if blob is None:
                raise FileNotFoundError(self._name)
            content = blob.download_as_bytes(if_generation_match=blob.generation)
            return content, _describe_blob(blob)

    def write(self, content: bytes, writer: str, expected: str) -> str:
        from google.api_core.exceptions import PreconditionFailed

        blob = self._bucket.blob(self._name)
        blob.metadata = {_WRITER: writer}
        with _convert_google_errors():
            try:
                blob.upload_from_string(content, if_generation_match=int(expected or 0))
            except PreconditionFailed:
                return ""
        return str(blob.generation)


def _describe_blob(blob: Any) -> Version:
    if blob is None:
        return Version("")
    return Version(str(blob.generation), (blob.metadata or {}).get(_WRITER, ""))


@contextlib.contextmanager
def _convert_google_errors() -> Iterator[None]:
    from google.api_core.exceptions import GoogleAPIError
    from google.auth.exceptions import GoogleAuthError

    try:
        yield
    except (GoogleAPIError, GoogleAuthError) as error:
        raise OSError(str(error)) from error
