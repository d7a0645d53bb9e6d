"""Lists, copies and removes folders and files at URLs of object stores, s3:// and gs://.

It uses Arrow's file systems. Credentials and region come from the same sources as for the
providers' own tools: environment variables, a profile, or the machine's metadata.
`AWS_ENDPOINT_URL_S3` or `AWS_ENDPOINT_URL`, which boto3 and therefore Beam also read, is the
endpoint of another S3-compatible server.

A store has no folders, only names with slashes. An object whose name ends in a slash, which some
programs create to mark an empty folder, is ignored.
"""

import contextlib
import functools
import os
import pathlib
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent import futures
from typing import Any

import pyarrow as pa
from pyarrow import fs

from schema.errors import UsageError
from schema.storage.locations import is_remote

_AT_ONCE = 8
_PART_BYTES = 32 << 20


def open_store(uri: str) -> tuple[Any, str]:
    """Returns Arrow's file system for `uri`, and the path of `uri` in it.

    Raises UsageError for an unsupported scheme.
    """
    scheme, _, path = uri.partition("://")
    path = path.strip("/")
    return _file_system(scheme, path.partition("/")[0], _endpoint()), path


def list_files(uri: str) -> list[str]:
    """Returns the names of all objects below `uri`, relative to it and sorted; the list is empty if
    there are none or the bucket does not exist.

    Raises OSError if the store cannot be reached.
    """
    return sorted(list_write_times(uri))


def list_write_times(uri: str) -> dict[str, float]:
    """Returns the write time of each object below `uri`, in seconds since epoch, UTC, by the
    store's clock. Names and errors are those of `list_files`.
    """
    system, root = open_store(uri)
    listed = system.get_file_info(fs.FileSelector(root, allow_not_found=True, recursive=True))
    objects = (info for info in listed if info.type == fs.FileType.File)
    return {info.path[len(root) + 1 :]: info.mtime_ns / 1e9 for info in objects}


def require_bucket(uri: str) -> None:
    """Raises FileNotFoundError if the bucket of `uri` does not exist; OSError as `list_files`."""
    system, path = open_store(uri)
    bucket = path.partition("/")[0]
    if system.get_file_info(bucket).type != fs.FileType.Directory:
        raise FileNotFoundError(f"no bucket {bucket!r}")


def list_folders(uri: str) -> list[str]:
    """Returns the names of the folders directly below `uri`; raises OSError as `list_files`."""
    system, root = open_store(uri)
    if _has_no_folders(system):
        return sorted({name.partition("/")[0] for name in list_files(uri) if "/" in name})
    listed = system.get_file_info(fs.FileSelector(root, allow_not_found=True))
    return sorted(info.base_name for info in listed if info.type == fs.FileType.Directory)


def is_file(uri: str) -> bool:
    """Returns whether `uri` is an object; raises OSError as `list_files`."""
    system, path = open_store(uri)
    return system.get_file_info(path).type == fs.FileType.File


def read(uri: str) -> bytes:
    """Reads one object. Raises FileNotFoundError if it does not exist; OSError as `list_files`."""
    system, path = open_store(uri)
    with system.open_input_stream(path, compression=None) as stream:
        return stream.read()


def download(uri: str, folder: pathlib.Path) -> None:
    """Copies all objects below `uri` into `folder`, which is created if necessary; raises OSError
    as `list_files`.
    """
    system, root = open_store(uri)
    folder.mkdir(parents=True, exist_ok=True)
    _copy_each(lambda name: _fetch(system, f"{root}/{name}", folder / name), list_files(uri))


def upload(folder: pathlib.Path, uri: str, without: Collection[str] = ()) -> None:
    """Copies all files below `folder` except `without`, paths relative to it; raises OSError as
    `list_files`.
    """
    files = (str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    names = [name for name in files if name not in without]
    _copy_each(lambda name: _store(folder / name, f"{uri}/{name}"), names)


def upload_file(path: pathlib.Path, uri: str) -> None:
    """Copies one file; its object becomes visible when it is complete. Raises OSError as
    `list_files`.
    """
    _copy_each(lambda stored: _store(path, stored), [uri])


def remove(uri: str) -> None:
    """Removes the object or the folder at `uri`. Another process may do the same at the same time.
    Raises OSError as `list_files`.
    """
    system, path = open_store(uri)
    kind = system.get_file_info(path).type
    if kind == fs.FileType.File:
        _delete(system.delete_file, path)
    elif kind == fs.FileType.Directory and _has_no_folders(system):
        _copy_each(lambda name: _delete(system.delete_file, f"{path}/{name}"), list_files(uri))
    elif kind == fs.FileType.Directory:
        _delete(system.delete_dir, path)


@contextlib.contextmanager
def translate_errors(uri: str) -> Iterator[None]:
    """Converts an OSError of the block into UsageError, for a URL that the user has given."""
    try:
        yield
    except OSError as error:
        raise UsageError(
            f"expected a reachable object store at {uri}, received: {error}; check the URL, the "
            "credentials and AWS_ENDPOINT_URL"
        ) from error


@contextlib.contextmanager
def open_output_folder(location: str) -> Iterator[str]:
    """Yields a folder to write to. If `location` is a URL, the files are uploaded to it when the
    block ends, with or without an error; if it is a path, the folder is `location` itself.
    """
    if not is_remote(location):
        yield location
        return
    with tempfile.TemporaryDirectory(prefix="tandem-") as folder:
        try:
            yield folder
        finally:
            upload(pathlib.Path(folder), location)


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
    """Writes the object in a way that cannot leave an incomplete one.

    Arrow closes a stream even after an error, and closing creates an object of the bytes so far.
    Therefore the file is mapped before the stream is opened, and this runs in a thread, which does
    not receive KeyboardInterrupt. `pyarrow.fs.copy_files` would leave such an incomplete object.
    """
    empty = source.stat().st_size == 0  # an empty file cannot be mapped
    content = pa.py_buffer(b"") if empty else pa.memory_map(str(source)).read_buffer()
    system, path = open_store(uri)
    stream = system.open_output_stream(path, compression=None)
    for start in range(0, content.size, _PART_BYTES):
        stream.write(content.slice(start, min(_PART_BYTES, content.size - start)))
    stream.close()


def _has_no_folders(system: Any) -> bool:
    """Arrow neither lists nor removes a folder in Google's store that has no marker object."""
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
