"""A new version of the models, wherever they are served from."""

import pathlib
from collections.abc import Mapping

from schema.storage.locations import is_remote
from serving.versions import local as local_versions
from serving.versions import remote as remote_versions


def push(
    models: Mapping[str, pathlib.Path],
    serving: str,
    beside: Mapping[str, Mapping[str, pathlib.Path]],
) -> dict[str, str]:
    """As `local.push`, to the path or URL `serving`; the folder or URL of each name."""
    if is_remote(serving):
        return remote_versions.push(models, serving, beside)
    final = local_versions.push(models, pathlib.Path(serving), beside)
    return {name: str(path) for name, path in final.items()}
