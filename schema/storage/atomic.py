"""Files that appear whole or not at all: written beside their place, then renamed."""

import contextlib
import pathlib
from collections.abc import Callable, Iterator

from schema.errors import UsageError


@contextlib.contextmanager
def replace_file(path: pathlib.Path) -> Iterator[pathlib.Path]:
    """Yields the path of a file to write. It replaces what was at `path` when the block ends
    without an error, and is removed when it does not.

    Raises UsageError where it cannot be put into its place. Two writers of one `path` at the same
    time must not be.
    """
    unfinished = path.with_name(f".unfinished-{path.name}")
    try:
        yield unfinished
        with _translate_errors(path):
            unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def write_text(path: pathlib.Path, text: str) -> None:
    """Writes `text` in UTF-8; raises OSError where it cannot be written."""
    with replace_file(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")


@contextlib.contextmanager
def open_text(path: pathlib.Path) -> Iterator[Callable[[str], object]]:
    """Yields a function that appends UTF-8 text to what `replace_file` puts at `path`.

    Raises UsageError where it cannot be opened, written or put into its place. A device or a pipe
    is refused too: it would be replaced by a file.
    """
    if path.exists() and not path.is_file():
        raise UsageError(f"expected a path for a file, received {path}; give another")
    with replace_file(path) as unfinished:
        with _translate_errors(path):
            file = unfinished.open("w", encoding="utf-8")

        def append(text: str) -> None:
            with _translate_errors(path):
                file.write(text)

        try:
            yield append
            with _translate_errors(path):
                file.close()
        finally:
            with contextlib.suppress(OSError):  # a full disk has been reported by then
                file.close()


@contextlib.contextmanager
def _translate_errors(path: pathlib.Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UsageError(
            f"expected to write {path}, received: {error.strerror}; fix that, or give another path"
        ) from error
