"""Locations: local paths and URLs. All locations from users are parsed here."""

import os
import pathlib
import re
from collections.abc import Callable, Sequence
from typing import Annotated
from urllib import parse

from pydantic import AfterValidator

from schema.errors import UsageError

STORE_SCHEMES = ("s3", "gs")
"""Schemes of the object stores."""
READABLE_SCHEMES = (*STORE_SCHEMES, "hdfs")
"""Schemes of URLs that tables can be read from."""

_SCHEME = r"([A-Za-z][A-Za-z0-9+.-]*)://"
_BUCKET = r"[A-Za-z0-9][A-Za-z0-9._-]*"


def is_remote(location: str) -> bool:
    """Returns whether `location` is a URL."""
    return re.match(_SCHEME, location) is not None


def parse_location(text: str, schemes: Sequence[str] = STORE_SCHEMES) -> str:
    """Returns a path, with a leading `~` expanded to the home folder, or a URL of one of
    `schemes`; both without trailing slashes. `file:///a` is the path `/a`. A relative path stays
    relative.

    Raises UsageError for anything else: an empty text, another scheme, no bucket, an unknown home
    folder; and for a URL with an empty part, `.` or `..` in its path, which a store treats as a
    name and programs interpret differently.
    """
    if not text.strip() or "\0" in text:
        raise _build_error("a path or a URL", text, "name one")
    scheme, colon, _ = text.partition(":")
    if text.startswith("file:"):
        return _parse_file_url(text)
    if colon and scheme in schemes and not is_remote(text):
        raise _build_error(
            f"two slashes after {scheme}:", text, f"add them, or write ./{text} for a path"
        )
    if not is_remote(text):
        return _parse_path(text)
    if scheme not in schemes:
        known = " or ".join(f"{name}://" for name in schemes)
        raise _build_error(f"a path, or a URL with {known}", text, "give one of these")
    return _parse_url(text, scheme)


def parse_readable(text: str) -> str:
    """Like `parse_location`, for locations that are only read: hdfs:// is valid too."""
    return parse_location(text, READABLE_SCHEMES)


def parse_local(text: str) -> pathlib.Path:
    """Returns a local path; raises UsageError as `parse_location`, and for the URL of a store."""
    location = parse_location(text)
    if is_remote(location):
        raise _build_error("a local path", text, "object stores are not supported here")
    return pathlib.Path(location)


def parse_task_location(text: str, schemes: Sequence[str] = STORE_SCHEMES) -> str:
    """Returns a location that is valid for the tasks of a cluster.

    Raises UsageError as `parse_location`, and for a path that depends on this machine's home or
    working folder.
    """
    location = parse_location(text, schemes)
    if text.startswith("~") or not (is_remote(location) or os.path.isabs(location)):
        raise _build_error(
            "a URL or an absolute path, valid for the tasks", text, "write it in full"
        )
    return location


def parse_table_path(text: str) -> str:
    """Parses a table's `path` as `parse_readable` does, except that a path with a leading `~` stays
    unchanged: whether `~` is the home folder or a name is known only in the data folder.
    """
    return text if text.startswith("~") else parse_readable(text)


def _build_validator(parse_text: Callable[[str], object]) -> AfterValidator:
    def check(text: str) -> str:
        try:
            return str(parse_text(text))
        except UsageError as error:
            raise ValueError(str(error)) from error

    return AfterValidator(check)


TablePath = Annotated[str, _build_validator(parse_table_path)]
"""Type of a configuration value that `parse_table_path` validates."""
LocalPath = Annotated[str, _build_validator(parse_local)]
"""Type of a configuration value that `parse_local` validates."""


def _parse_path(text: str) -> str:
    path = os.path.expanduser(text)
    if path.startswith("~"):
        raise _build_error(
            "an existing home folder", text, f"write ./{text} for a name that begins with ~"
        )
    return path.rstrip("/") or "/"


def _parse_file_url(text: str) -> str:
    path = re.fullmatch(r"file:(?://(?:localhost)?)?(/(?!/).*)", text)
    if path is None:
        raise _build_error("file:/// and an absolute path", text, "write the path itself")
    return parse.unquote(path[1]).rstrip("/") or "/"


def _parse_url(text: str, scheme: str) -> str:
    rest = text.removeprefix(f"{scheme}://").rstrip("/")
    bucket, *parts = rest.split("/")
    if not rest or (scheme in STORE_SCHEMES and not re.fullmatch(_BUCKET, bucket)):
        raise _build_error(f"a bucket after {scheme}://", text, f"write {scheme}://BUCKET/FOLDER")
    invalid = next((part for part in parts if part in ("", ".", "..")), None)
    if invalid is not None:
        what = f"/{invalid}/" if invalid else "//"
        raise _build_error(f"no {what} within a URL", text, "write the URL without it")
    return f"{scheme}://{rest}"


def _build_error(expected: str, received: str, advice: str) -> UsageError:
    return UsageError(f"expected {expected}, received {received!r}; {advice}")
