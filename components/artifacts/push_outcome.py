"""What a run's Pusher decided: kept in a file, since a failed task leaves no artifact behind."""

import pathlib

from tfx.dsl.io import fileio

from schema.base import StrictModel
from schema.errors import NotBlessed

FILE = "outcome.json"


class PushOutcome(StrictModel):
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


def read(uri: str) -> PushOutcome:
    """Of an artifact that is a folder of this machine."""
    return PushOutcome.model_validate_json(pathlib.Path(uri, FILE).read_bytes())


def build_refusal(outcome: PushOutcome) -> NotBlessed:
    """Says what was found wanting."""
    return NotBlessed(
        "expected blessed models, received ones that fail evaluation; nothing was pushed:\n  "
        + "\n  ".join(outcome.failures)
    )
