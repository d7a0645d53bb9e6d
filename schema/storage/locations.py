"""Where something lies: a path of this machine, or a URL. What people write is read here alone."""

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
"""Schemes of what tables are read from."""

_SCHEME = r"([A-Za-z][A-Za-z0-9+.-]*)://"
_BUCKET = r"[A-Za-z0-9][A-Za-z0-9._-]*"


def is_remote(place: str) -> bool:
    """Whether `place` is a URL."""
    return re.match(_SCHEME, place) is not None


def parse_location(text: str, schemes: Sequence[str] = STORE_SCHEMES) -> str:
    """A path with the home in the place of a leading `~` and without slashes at its end, or a URL
    of one of `schemes`, likewise; `file:///a` is the path `/a`. A relative path stays one.

    Raises UsageError for everything else: nothing at all, another scheme, no bucket, a home that
    there is not; and for a URL with an empty part, `.` or `..` in its path, which a store takes for
    a name, and of which programs make different things.
    """
    if not text.strip() or "\0" in text:
        raise _build_error("a path or a URL", text, "name one")
    scheme, colon, _ = text.partition(":")
    if text.startswith("file:"):
        return _parse_file_url(text)
    if colon and scheme in schemes and not is_remote(text):
        raise _build_error(
            f"two slashes behind {scheme}:", text, f"write them, or ./{text} for a path"
        )
    if not is_remote(text):
        return _parse_path(text)
    if scheme not in schemes:
        known = " or ".join(f"{name}://" for name in schemes)
        raise _build_error(f"a path, or a URL with {known}", text, "give one of these")
    return _parse_url(text, scheme)


def parse_readable(text: str) -> str:
    """As `parse_location`, for what is read alone."""
    return parse_location(text, READABLE_SCHEMES)


def parse_local(text: str) -> pathlib.Path:
    """A path of this machine; raises UsageError as `parse_location`, and for the URL of a store."""
    place = parse_location(text)
    if is_remote(place):
        raise _build_error("a path of this machine", text, "no object store is known here")
    return pathlib.Path(place)


def parse_task_location(text: str, schemes: Sequence[str] = STORE_SCHEMES) -> str:
    """A place as a cluster's tasks see it: no path that depends on this machine's home or folder.

    Raises UsageError as `parse_location`, and for such a path.
    """
    place = parse_location(text, schemes)
    if text.startswith("~") or not (is_remote(place) or os.path.isabs(place)):
        raise _build_error("a URL or an absolute path, as tasks see it", text, "write it in full")
    return place


def parse_table_path(text: str) -> str:
    """A table's `path`: a URL as in `parse_location`, anything else as it stands, since only where
    the data lie it is known whether `~` is the home or a name.
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
"""Of a configuration, once `parse_table_path` has read it."""
LocalPath = Annotated[str, _build_validator(parse_local)]
"""Of a configuration, once `parse_local` has read it."""


def _parse_path(text: str) -> str:
    path = os.path.expanduser(text)
    if path.startswith("~"):
        raise _build_error(
            "a home that there is", text, f"write ./{text} for a name that begins so"
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
        raise _build_error(f"a bucket behind {scheme}://", text, f"write {scheme}://BUCKET/FOLDER")
    odd = next((part for part in parts if part in ("", ".", "..")), None)
    if odd is not None:
        what = f"/{odd}/" if odd else "//"
        raise _build_error(f"no {what} within a URL", text, "write the URL without it")
    return f"{scheme}://{rest}"


def _build_error(expected: str, received: str, advice: str) -> UsageError:
    return UsageError(f"expected {expected}, received {received!r}; {advice}")
