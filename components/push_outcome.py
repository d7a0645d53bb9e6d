"""What a run's Pusher decided: kept in a file, since a failed task leaves no artifact behind."""

from collections.abc import Iterator

from tfx.dsl.io import fileio

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
    if not fileio.isdir(run_root):
        return None
    for task in map(str, fileio.listdir(run_root)):
        if task.startswith("Pusher"):
            for path in _files(f"{run_root}/{task.rstrip('/')}"):
                with fileio.open(path) as file:
                    return PushOutcome.model_validate_json(file.read())
    return None


def _files(folder: str) -> Iterator[str]:
    for where, _, names in fileio.walk(folder):
        if FILE in names:
            yield f"{where}/{FILE}"
