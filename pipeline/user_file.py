"""A file of user ids, one a line."""

import pathlib

from schema.errors import UsageError


def read(path: pathlib.Path) -> list[str]:
    """The ids in their order, as they are written but for the end of the line; empty lines are no
    ids.

    Raises UsageError where the file cannot be read, is no UTF-8 text, or holds no id.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")  # reading turns \r\n into \n
    except OSError as error:
        raise UsageError(
            f"expected a file of user ids at {path}, received: {error.strerror}; give its path, or "
            "--users all"
        ) from error
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{path}: expected user ids in UTF-8, received the byte "
            f"{error.object[error.start]:#04x} at {error.start}; convert the file"
        ) from error
    found = [line for line in lines if line]
    if not found:
        raise UsageError(f"{path}: expected user ids, one a line, received none; give some")
    return found
