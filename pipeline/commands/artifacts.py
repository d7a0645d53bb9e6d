"""The artifacts of a run as local folders, for commands that read them whole."""

import contextlib
import pathlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence

from schema.errors import NoRunError
from schema.storage import object_store
from schema.storage.locations import is_remote


@contextlib.contextmanager
def fetch_artifacts(
    artifacts: Mapping[str, str], needed: Sequence[str], root: str
) -> Iterator[dict[str, str]]:
    """Yields the local folder of each artifact in `needed`, by name. Local artifacts stay where
    they are; remote ones are copied to a temporary folder, deleted when the block ends.

    Args:
        artifacts: `artifacts` of the run's summary.json: path or URL by name.
        needed: Names of the artifacts to fetch.
        root: Path or URL of the run, for the error message.

    Raises:
        NoRunError: The summary does not name an artifact, or the artifact no longer exists.
    """
    with tempfile.TemporaryDirectory(prefix="tandem-artifacts-") as folder:
        folders = {}
        for name in needed:
            uri = artifacts.get(name, "")
            copy = pathlib.Path(folder, name)
            folders[name] = str(_fetch_artifact(uri, copy)) if is_remote(uri) else uri
            if not uri or not pathlib.Path(folders[name]).exists():
                raise NoRunError(
                    f"expected the artifact {name} of the run at {root}, received "
                    f"{uri or 'none'} in summary.json, which is not there; "
                    f"run `tandem run --config … --root {root}` again"
                )
        yield folders


def _fetch_artifact(uri: str, copy: pathlib.Path) -> pathlib.Path:
    with object_store.translate_errors(uri):
        if object_store.list_files(uri):
            object_store.download(uri, copy)
    return copy
