"""Columns in the names of folders, as Hive and Spark write them: `kind=buy/date=2024-01-31/…`."""

import functools
import re
from urllib.parse import unquote

_FOLDER = re.compile(r"(?P<key>[^=/]+)=(?P<value>[^/]*)")
_NULL = "__HIVE_DEFAULT_PARTITION__"


@functools.lru_cache
def parse_partitions(path: str) -> dict[str, str | None]:
    """Returns the value of each key in the path's folders; None for Hive's name of a null."""
    folders = map(_FOLDER.fullmatch, path.split("/")[:-1])
    return {
        unquote(folder["key"]): None if folder["value"] == _NULL else unquote(folder["value"])
        for folder in folders
        if folder is not None
    }
