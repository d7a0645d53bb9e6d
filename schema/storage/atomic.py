"""A file that is there whole or not at all."""

import contextlib
import pathlib
from collections.abc import Callable, Iterator

from schema.errors import UsageError


@contextlib.contextmanager
def open_text(path: pathlib.Path) -> Iterator[Callable[[str], object]]:
    """Gives what appends UTF-8 text; the text takes the place of what was at `path` when the block
    ends without an error, and is gone when it does not.

    Raises UsageError where it cannot be opened, written or put into its place. A device or a pipe
    is refused too: it would be replaced by a file.
    """
    if path.exists() and not path.is_file():
        raise UsageError(f"expected a path for a file, received {path}; give another")
    unfinished = path.with_name(f".unfinished-{path.name}")
    with _translate_errors(path):
        file = unfinished.open("w", encoding="utf-8")

    def append(text: str) -> None:
        with _translate_errors(path):
            file.write(text)

    try:
        yield append
        with _translate_errors(path):
            file.close()
            unfinished.replace(path)
    finally:
        with contextlib.suppress(OSError):  # a full disk has been reported by then
            file.close()
        unfinished.unlink(missing_ok=True)


@contextlib.contextmanager
def _translate_errors(path: pathlib.Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UsageError(
            f"expected to write {path}, received: {error.strerror}; fix that, or give another path"
        ) from error
