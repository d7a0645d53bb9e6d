"""What a run's Pusher decided: kept in a file, since a failed task leaves no artifact behind."""

import pathlib

from tfx.dsl.io import fileio

from schema import object_store
from schema.place import is_remote
from schema.strict import Strict

FILE = "outcome.json"


class PushOutcome(Strict):
    """Whether the models were good enough, and what became of them."""

    failures: list[str]
    """What the evaluation found wanting; empty for blessed models."""
    version: int | None
    """The pushed version, None where nothing was pushed."""


def write(outcome: PushOutcome, uri: str) -> None:
    """Below the Pusher's artifact `uri`."""
    fileio.makedirs(uri)
    with fileio.open(f"{uri}/{FILE}", "w") as file:
        file.write(outcome.model_dump_json())


def of_run(run_root: str) -> PushOutcome | None:
    """What the Pusher wrote below `run_root`, the folder of a run's tasks; None where it has not
    been reached, or was taken from the cache.
    """
    for name in _files(run_root):
        if name.startswith("Pusher") and name.endswith(f"/{FILE}"):
            return PushOutcome.model_validate_json(_content(f"{run_root}/{name}"))
    return None


def _files(folder: str) -> list[str]:
    """From there on; none where there is no such folder."""
    if is_remote(folder):
        return object_store.files(folder)
    return [str(path.relative_to(folder)) for path in pathlib.Path(folder).rglob(FILE)]


def _content(path: str) -> bytes:
    return object_store.read(path) if is_remote(path) else pathlib.Path(path).read_bytes()
