"""A run's root on an object store: what no component writes goes there and back as a whole.

These are ML Metadata's SQLite file, which no store can hold open, the summary, the report, the log
and TensorBoard's lines of quality over runs.
"""

import contextlib
import pathlib
import signal
import tempfile
from collections.abc import Iterator
from types import FrameType

from pipeline import run_root
from pipeline.run_root import RunDirectory
from schema.errors import NoRunError, UsageError
from schema.storage import object_store
from schema.storage.locations import is_remote

_SUMMARY = "summary.json"


@contextlib.contextmanager
def opened(root: str) -> Iterator[RunDirectory]:
    """The directory of a run to be, at a path or a URL.

    At a URL, metadata are fetched first; when the block ends, however it ends, they and what else
    was written to the folder of this machine are put there. SIGTERM, by which a cluster takes a
    machine away, ends it as Ctrl-C does. Raises UsageError where the store cannot be read or
    written, and, with nothing put there, where another run has put its metadata there meanwhile.
    """
    if not is_remote(root):
        yield run_root.opened(pathlib.Path(root))
        return
    with tempfile.TemporaryDirectory(prefix="tandem-run-") as folder:
        at = RunDirectory(pathlib.Path(folder), root)
        with object_store.reached(root):
            found = _fetch(at)
        try:
            with _ended_by_sigterm():
                yield at
        finally:
            with object_store.reached(root):
                _put(at, found)


def _fetch(at: RunDirectory) -> str:
    """Brings the metadata, and returns their fingerprint."""
    object_store.require_bucket(at.uri)
    found = object_store.fingerprint(_metadata(at))
    if found:
        at.metadata.write_bytes(object_store.read(_metadata(at)))
    return found


def _put(at: RunDirectory, found: str) -> None:
    if object_store.fingerprint(_metadata(at)) != found:
        raise UsageError(
            f"expected to be the only run at {at.uri}, but another one has ended there meanwhile; "
            "what this one knows of its stages is not kept: run it again"
        )
    object_store.upload(at.root, at.uri, without=_SUMMARY)
    if at.summary.exists():
        object_store.upload_file(at.summary, f"{at.uri}/{_SUMMARY}")


def _metadata(at: RunDirectory) -> str:
    return f"{at.uri}/{at.metadata.name}"


@contextlib.contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    handler = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, handler)


def summary(root: str) -> str:
    """summary.json of the finished run at a path or a URL; NoRunError where there is none."""
    if not is_remote(root):
        return run_root.finished(pathlib.Path(root)).summary.read_text(encoding="utf-8")
    with object_store.reached(root):
        if object_store.is_file(f"{root}/{_SUMMARY}"):
            return object_store.read(f"{root}/{_SUMMARY}").decode()
    raise NoRunError(
        f"expected a finished run at {root}, found no summary.json there; "
        f"run `tandem run --config … --root {root}` first"
    )


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
