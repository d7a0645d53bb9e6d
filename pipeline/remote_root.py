"""The files of a root on an object store that a run works on locally.

ML Metadata's SQLite file needs a local disk. It is downloaded before a run and written back after
each stage, when the outputs of that stage are already on the store. So a run that is killed loses
at most the stage that it was executing.

Two runs may start at the same root. Each writes its artifacts to a folder of its own, and the
metadata only if they are still those that it has read or written last. Of two runs that execute a
stage, the one that finishes first goes on and the other stops.
"""

import contextlib
import datetime
import pathlib
import sqlite3
import tempfile
import uuid

from schema.errors import ConcurrentRun
from schema.storage import object_store
from schema.storage.conditional_object import ConditionalObject

METADATA = "metadata.sqlite"
LOG = "run.log"
SUMMARY = "summary.json"
_LOCK = f"{METADATA}.lock"  # of `pipeline.execution.locked_metadata`


class RemoteRoot:
    """The root at a URL during one run.

    Methods raise UsageError if the store cannot be read or written, and ConcurrentRun if another
    run has stored its metadata in the meantime; nothing is written then.
    """

    def __init__(self, folder: pathlib.Path, uri: str):
        """Accesses nothing.

        Args:
            folder: Local folder of the run's files.
            uri: URL of the root.
        """
        self._folder = folder
        self._uri = uri
        self._metadata = ConditionalObject(f"{uri}/{METADATA}")
        now = datetime.datetime.now(datetime.timezone.utc)
        self.artifacts = f"{uri}/artifacts/{now:%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}"
        """URL of this run's artifacts. A stage that was killed leaves incomplete files in the
        folder of its run, where no later run writes."""

    def fetch(self) -> None:
        """Downloads the metadata, if there are any."""
        with object_store.translate_errors(self._uri):
            object_store.require_bucket(self._uri)
            content = self._metadata.read()
        if content is not None:
            (self._folder / METADATA).write_bytes(content)

    def require_own(self) -> None:
        """Raises ConcurrentRun if the metadata are no longer those of this run."""
        with object_store.translate_errors(self._uri):
            if not self._metadata.is_current():
                raise self._build_error()

    def store_stage(self) -> None:
        """Stores the metadata and the log so far."""
        with object_store.translate_errors(self._uri):
            self._store_metadata()
            self._store_file(LOG)

    def store_all(self) -> None:
        """Stores the metadata, then all other files, the summary last."""
        with object_store.translate_errors(self._uri):
            self._store_metadata()
            object_store.upload(self._folder, self._uri, without=(METADATA, _LOCK, SUMMARY))
            self._store_file(SUMMARY)

    def _store_metadata(self) -> None:
        path = self._folder / METADATA
        if path.exists() and not self._metadata.replace(read_snapshot(path)):
            raise self._build_error()

    def _store_file(self, name: str) -> None:
        if (self._folder / name).exists():
            object_store.upload_file(self._folder / name, f"{self._uri}/{name}")

    def _build_error(self) -> ConcurrentRun:
        return ConcurrentRun(
            f"expected to be the only run at {self._uri}, but another one has stored the metadata "
            "of a stage in the meantime; what this run has not stored is discarded: wait until the "
            "other run has ended and run it again, or give another --root"
        )


def read_snapshot(database: pathlib.Path) -> bytes:
    """A consistent copy of an SQLite file that may be in use."""
    with tempfile.TemporaryDirectory(prefix="tandem-") as folder:
        copy = pathlib.Path(folder, METADATA)
        with (
            contextlib.closing(sqlite3.connect(database)) as source,
            contextlib.closing(sqlite3.connect(copy)) as target,
        ):
            source.backup(target)
        return copy.read_bytes()
