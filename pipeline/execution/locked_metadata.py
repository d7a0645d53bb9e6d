"""ML Metadata's SQLite file, which one process of a run at a time may open."""

import contextlib
import fcntl
import pathlib
import types
from collections.abc import Iterator

from tfx.orchestration import metadata


class LockedMetadata(metadata.Metadata):
    """A connection that holds the file's lock while it is open.

    SQLite refuses a transaction while another one writes, and ML Metadata does not retry.
    """

    def __init__(self, connection_config: metadata.ConnectionConfigType) -> None:
        super().__init__(connection_config)
        self._path = pathlib.Path(connection_config.sqlite.filename_uri)
        self._locks = contextlib.ExitStack()

    def __enter__(self) -> metadata.Metadata:
        if not self._users:
            self._locks.enter_context(lock_metadata(self._path))
        return super().__enter__()

    def __exit__(
        self,
        exc_type: type[Exception] | None = None,
        exc_value: Exception | None = None,
        exc_tb: types.TracebackType | None = None,
    ) -> None:
        super().__exit__(exc_type, exc_value, exc_tb)
        if not self._users:
            self._locks.close()


@contextlib.contextmanager
def lock_metadata(path: pathlib.Path) -> Iterator[None]:
    """Waits until no other process has the lock of the file at `path`, and holds it."""
    with path.with_name(f"{path.name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
