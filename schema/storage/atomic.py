"""Atomic writes: a file is written to a temporary name in the same folder, then renamed."""

import contextlib
import pathlib
from collections.abc import Callable, Iterator

from schema.errors import UsageError


@contextlib.contextmanager
def replace_file(path: pathlib.Path) -> Iterator[pathlib.Path]:
    """Yields a temporary path to write to. The file replaces `path` when the block ends without an
    error; otherwise it is removed.

    Raises UsageError if `path` cannot be replaced. Concurrent writers of one `path` are not
    supported.
    """
    unfinished = path.with_name(f".unfinished-{path.name}")
    try:
        yield unfinished
        with _translate_errors(path):
            unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def write_text(path: pathlib.Path, text: str) -> None:
    """Writes `text` in UTF-8; raises OSError if the file cannot be written, and UsageError if it
    cannot replace `path`.
    """
    with replace_file(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")


@contextlib.contextmanager
def open_text(path: pathlib.Path) -> Iterator[Callable[[str], object]]:
    """Yields a function that appends UTF-8 text to the file that will replace `path`.

    Raises UsageError if the file cannot be opened, written or renamed, and if `path` is a device or
    a pipe, which the file would replace.
    """
    if path.exists() and not path.is_file():
        raise UsageError(f"expected a path for a file, received {path}; give another path")
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
            with contextlib.suppress(OSError):  # an error of the first close was reported already
                file.close()


@contextlib.contextmanager
def _translate_errors(path: pathlib.Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UsageError(
            f"expected to write {path}, received: {error.strerror}; fix that, or give another path"
        ) from error
