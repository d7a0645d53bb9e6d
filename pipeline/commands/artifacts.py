"""A run's artifacts on this machine, for a verb that reads them as a whole."""

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
    """Folders of the artifacts `needed`, by name: those of `summary.json` themselves, or, of URLs,
    copies that are gone when the block ends.

    Raises NoRunError where the summary of the run at `root` names none, or it is gone.
    """
    with tempfile.TemporaryDirectory(prefix="tandem-artifacts-") as folder:
        found = {}
        for name in needed:
            place = artifacts.get(name, "")
            copy = pathlib.Path(folder, name)
            found[name] = str(_fetch_artifact(place, copy)) if is_remote(place) else place
            if not place or not pathlib.Path(found[name]).exists():
                raise NoRunError(
                    f"expected the artifact {name} of the run at {root}, received "
                    f"{place or 'none'} in summary.json, which is not there; "
                    f"run `tandem run --config … --root {root}` again"
                )
        yield found


def _fetch_artifact(uri: str, copy: pathlib.Path) -> pathlib.Path:
    with object_store.translate_errors(uri):
        if object_store.list_files(uri):
            object_store.download(uri, copy)
    return copy
