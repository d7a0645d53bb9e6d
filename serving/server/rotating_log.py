"""Writes lines to files of bounded size in a separate thread, without blocking the caller."""

import dataclasses
import logging
import pathlib
import queue
import threading
import time
from collections.abc import Callable
from typing import IO

_log = logging.getLogger(__name__)
_QUEUED = 10_000
_PAUSE_SECONDS = 1.0
PART_SUFFIX = ".part"
Entry = Callable[[], bytes]


@dataclasses.dataclass(frozen=True)
class Rotation:
    """Maximum size of a file in bytes, and number of files to keep."""

    file_bytes: int = 64 * 2**20
    files: int = 16


class RotatingLog:
    """Writes `<folder>/<name>-<time>-<number>.jsonl`, whose names sort by creation. The file in
    progress ends in `.part`, so `*.jsonl` matches only complete files. If there are more than
    `rotation.files`, the oldest are deleted.

    If the disk is full or the folder is missing, lines are lost and counted; writing continues as
    soon as it succeeds again.
    """

    def __init__(self, folder: pathlib.Path, name: str, rotation: Rotation) -> None:
        self._folder, self._name, self._rotation = folder, name, rotation
        self._queue: queue.Queue[Entry | None] = queue.Queue(_QUEUED)
        self._file: IO[bytes] | None = None
        self._number = 0
        self._failing_since = 0.0
        self.written = 0
        """Number of written entries."""
        self.lost = 0
        """Number of entries lost because the queue or the disk was full."""
        self._thread = threading.Thread(target=self._run, name="rotated-log", daemon=True)
        self._thread.start()

    def put(self, entry: Entry) -> None:
        """Queues a function that returns complete lines, or counts it as lost; returns at once."""
        try:
            self._queue.put_nowait(entry)
        except queue.Full:
            self.lost += 1

    def count_lost(self) -> None:
        """Counts an entry as lost that is not written on purpose."""
        self.lost += 1

    def close(self) -> None:
        """Writes all queued entries and closes the file."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (entry := self._queue.get()) is not None:
            self._write(entry())
        self._end_file()

    def _write(self, lines: bytes) -> None:
        if self._failing_since and time.monotonic() - self._failing_since < _PAUSE_SECONDS:
            self.lost += 1
            return
        try:
            file = self._file or self._begin_file()
            file.write(lines)
            file.flush()
            if file.tell() >= self._rotation.file_bytes:
                self._end_file()
        except OSError as error:
            self._fail(error)
            return
        if self._failing_since:
            _log.info("request log recovered lost=%d", self.lost)
        self._failing_since = 0.0
        self.written += 1

    def _fail(self, error: OSError) -> None:
        if not self._failing_since:
            _log.warning(
                "request log write failed folder=%s error=%s", self._folder, error.strerror
            )
        self._failing_since = time.monotonic()
        self.lost += 1
        self._abandon_file()

    def _begin_file(self) -> IO[bytes]:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._number += 1
        moment = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
        path = self._folder / f"{self._name}-{moment}-{self._number:06}.jsonl{PART_SUFFIX}"
        self._file = path.open("wb")
        return self._file

    def _end_file(self) -> None:
        if self._file is None:
            return
        try:
            self._file.close()
            whole = pathlib.Path(self._file.name)
            whole.rename(whole.with_suffix(""))
        except OSError as error:
            _log.warning("request log file close failed error=%s", error.strerror)
        self._file = None
        self._drop_oldest()

    def _abandon_file(self) -> None:
        """Truncates a file that could not be written after its last complete line."""
        if self._file is None:
            return
        path = pathlib.Path(self._file.name)
        try:
            self._file.close()
        except OSError:  # the buffered rest cannot be written either
            _log.debug("request log file closed with unwritten data")
        try:
            whole = path.read_bytes()
            path.write_bytes(whole[: whole.rfind(b"\n") + 1])
            path.rename(path.with_suffix(""))
        except OSError as error:
            _log.warning("request log file truncation failed error=%s", error.strerror)
        self._file = None

    def _drop_oldest(self) -> None:
        files = sorted(self._folder.glob(f"{self._name}-*.jsonl"))
        for path in files[: max(0, len(files) - self._rotation.files)]:
            path.unlink(missing_ok=True)
