"""Folders and files at URLs of object stores, s3:// and gs://: listed, copied and removed.

Arrow's file systems do it. Credentials and region are found as those of the providers' own programs
are: in environment variables, in a profile, or from the machine. `AWS_ENDPOINT_URL_S3` or
`AWS_ENDPOINT_URL`, which boto3 and so Beam read too, name another server that speaks S3.

A store has no folders, only names with slashes in them. An object whose name ends in a slash, which
some programs leave for an empty folder, counts as none.
"""

import contextlib
import functools
import os
import pathlib
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent import futures
from typing import Any

import pyarrow as pa
from pyarrow import fs

from schema.errors import UsageError
from schema.storage.locations import is_remote

_AT_ONCE = 8
_PART_BYTES = 32 << 20


def open_store(uri: str) -> tuple[Any, str]:
    """Arrow's file system of a URL, and what stands for the URL there; UsageError for another
    scheme.
    """
    scheme, _, path = uri.partition("://")
    path = path.strip("/")
    return _file_system(scheme, path.partition("/")[0], _endpoint()), path


def list_files(uri: str) -> list[str]:
    """Names of all objects below `uri`, from there on, sorted; none where there is nothing, not
    even a bucket.

    Raises OSError where the store cannot be reached.
    """
    return sorted(list_write_times(uri))


def list_write_times(uri: str) -> dict[str, float]:
    """When each object below `uri` was written, in seconds since epoch, UTC, by the store's clock.
    Names and errors are those of `list_files`.
    """
    system, root = open_store(uri)
    found = system.get_file_info(fs.FileSelector(root, allow_not_found=True, recursive=True))
    objects = (info for info in found if info.type == fs.FileType.File)
    return {info.path[len(root) + 1 :]: info.mtime_ns / 1e9 for info in objects}


def require_bucket(uri: str) -> None:
    """Raises FileNotFoundError where the bucket of `uri` is not there, OSError as `list_files`."""
    system, path = open_store(uri)
    bucket = path.partition("/")[0]
    if system.get_file_info(bucket).type != fs.FileType.Directory:
        raise FileNotFoundError(f"no bucket {bucket!r}")


def list_folders(uri: str) -> list[str]:
    """Names of the folders directly below `uri`; raises OSError as `list_files`."""
    system, root = open_store(uri)
    if _has_no_folders(system):
        return sorted({name.partition("/")[0] for name in list_files(uri) if "/" in name})
    found = system.get_file_info(fs.FileSelector(root, allow_not_found=True))
    return sorted(info.base_name for info in found if info.type == fs.FileType.Directory)


def is_file(uri: str) -> bool:
    """Whether there is an object of that name; raises OSError as `list_files`."""
    system, path = open_store(uri)
    return system.get_file_info(path).type == fs.FileType.File


def read(uri: str) -> bytes:
    """One object. Raises FileNotFoundError where there is none, OSError as `list_files` does."""
    system, path = open_store(uri)
    with system.open_input_stream(path, compression=None) as stream:
        return stream.read()


def download(uri: str, folder: pathlib.Path) -> None:
    """Copies all objects below `uri` into `folder`, which is made; OSError as `list_files`."""
    system, root = open_store(uri)
    folder.mkdir(parents=True, exist_ok=True)
    _copy_each(lambda name: _fetch(system, f"{root}/{name}", folder / name), list_files(uri))


def upload(folder: pathlib.Path, uri: str, without: str = "") -> None:
    """Copies all files below `folder` but the one named `without`; OSError as `list_files`."""
    found = (str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    names = [name for name in found if name != without]
    _copy_each(lambda name: _store(folder / name, f"{uri}/{name}"), names)


def upload_file(path: pathlib.Path, uri: str) -> None:
    """Copies one file, whose object appears when it is whole; raises OSError as `list_files`."""
    _copy_each(lambda stored: _store(path, stored), [uri])


def remove(uri: str) -> None:
    """Removes the object at `uri` and all below it, whoever else does so at the same moment; raises
    OSError as `list_files`.
    """
    system, path = open_store(uri)
    kind = system.get_file_info(path).type
    if kind == fs.FileType.File:
        _delete(system.delete_file, path)
    elif kind == fs.FileType.Directory and _has_no_folders(system):
        _copy_each(lambda name: _delete(system.delete_file, f"{path}/{name}"), list_files(uri))
    elif kind == fs.FileType.Directory:
        _delete(system.delete_dir, path)


def compute_version(uri: str) -> str:
    """Differs when the object has been written anew; "" where there is none."""
    system, path = open_store(uri)
    info = system.get_file_info(path)
    return f"{info.size} {info.mtime_ns}" if info.type == fs.FileType.File else ""


@contextlib.contextmanager
def translate_errors(uri: str) -> Iterator[None]:
    """Turns an OSError of the block into UsageError: for what a user has named."""
    try:
        yield
    except OSError as error:
        raise UsageError(
            f"expected an object store that answers at {uri}, received: {error}; look at its name, "
            "the credentials and AWS_ENDPOINT_URL"
        ) from error


@contextlib.contextmanager
def open_output_folder(place: str) -> Iterator[str]:
    """A folder whose files are copied to the URL `place` when the block ends, however it ends; a
    `place` that is a path is that folder itself.
    """
    if not is_remote(place):
        yield place
        return
    with tempfile.TemporaryDirectory(prefix="tandem-") as folder:
        try:
            yield folder
        finally:
            upload(pathlib.Path(folder), place)


def _delete(delete: Callable[[str], None], path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        delete(path)


def _copy_each(copy: Callable[[str], None], names: Iterable[str]) -> None:
    pool = futures.ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="copy")
    try:
        for _ in pool.map(copy, names):
            pass
    finally:
        pool.shutdown(cancel_futures=True)


def _fetch(system: Any, path: str, target: pathlib.Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with system.open_input_stream(path, compression=None) as stream, target.open("wb") as file:
        while part := stream.read(_PART_BYTES):
            file.write(part)


def _store(source: pathlib.Path, uri: str) -> None:
    """Arrow closes a stream whatever happens, and closing makes an object of what it has. So all
    bytes are at hand before it is opened, and this runs in a thread, where no Ctrl-C arrives.
    """
    empty = source.stat().st_size == 0  # and cannot be mapped
    content = pa.py_buffer(b"") if empty else pa.memory_map(str(source)).read_buffer()
    system, path = open_store(uri)
    stream = system.open_output_stream(path, compression=None)
    for start in range(0, content.size, _PART_BYTES):
        stream.write(content.slice(start, min(_PART_BYTES, content.size - start)))
    stream.close()


def _has_no_folders(system: Any) -> bool:
    """Arrow neither lists nor removes a folder of Google's store that nobody has made as such."""
    return system.type_name == "gcs"


def _endpoint() -> str:
    return os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""


@functools.cache
def _file_system(scheme: str, bucket: str, endpoint: str) -> Any:
    if scheme == "gs":
        return fs.GcsFileSystem()
    if scheme != "s3":
        raise UsageError(
            f"expected a path, or a URL with s3:// or gs://, received {scheme}://{bucket}/…; "
            "give one of these"
        )
    if not endpoint:
        return fs.S3FileSystem(region=fs.resolve_s3_region(bucket))
    protocol, _, server = endpoint.partition("://")
    if protocol not in ("http", "https") or not server:
        raise UsageError(
            f"AWS_ENDPOINT_URL: expected one like http://host:9000, received {endpoint!r}; fix it"
        )
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    return fs.S3FileSystem(endpoint_override=server, scheme=protocol, region=region or "us-east-1")
