"""The pushed version that a refresh begins with."""

import dataclasses
import pathlib

from schema import refresh_inputs
from schema.dataset import Dataset
from schema.errors import NoRunError
from schema.signatures import RECOMMENDER
from serving.versions import local as local_versions
from serving.versions import origin
from serving.versions.origin import Origin


@dataclasses.dataclass(frozen=True)
class Refreshable:
    """A version with all that a refresh reads of it."""

    version: str
    model: pathlib.Path
    """Folder of the recommender."""
    candidates_uri: str
    """Where `schema.candidates` and `schema.refresh_inputs` find what lies beside it."""
    origin: Origin
    dataset: Dataset


def opened(serving: pathlib.Path, root: str) -> Refreshable:
    """The newest version in the serving directory of the run at `root`. NoRunError where none is
    pushed, UsageError for one without a candidate tower beside it, as an older Tandem has pushed.
    """
    version = origin.newest(serving)
    if not version:
        raise NoRunError(
            f"expected a pushed version to refresh in {root}/serving, received none; "
            f"run `tandem run --config … --root {root}` until its models are pushed"
        )
    extra = origin.folder(serving, version)
    uri = str(extra / origin.CANDIDATES)
    return Refreshable(
        version=version,
        model=local_versions.folder_of(serving, RECOMMENDER, int(version)),
        candidates_uri=uri,
        dataset=refresh_inputs.load_dataset(uri),
        origin=origin.read(extra / origin.ORIGIN),
    )
