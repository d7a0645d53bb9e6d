"""Outcome of the Pusher, stored in a file because a failed task publishes no artifact."""

import pathlib

from tfx.dsl.io import fileio

from schema.base import StrictModel
from schema.errors import NotBlessed

FILE = "outcome.json"


class PushOutcome(StrictModel):
    """Whether the models passed the evaluation, and which version they were pushed as."""

    failures: list[str]
    """The evaluation's failures; empty if the models are blessed."""
    version: int | None
    """The pushed version; None if nothing was pushed."""


def write(outcome: PushOutcome, uri: str) -> None:
    """Writes the outcome into the artifact at `uri`."""
    fileio.makedirs(uri)
    with fileio.open(f"{uri}/{FILE}", "w") as file:
        file.write(outcome.model_dump_json())


def read(uri: str) -> PushOutcome:
    """Reads the outcome from the artifact at `uri`, a local folder."""
    return PushOutcome.model_validate_json(pathlib.Path(uri, FILE).read_bytes())


def build_refusal(outcome: PushOutcome) -> NotBlessed:
    """Returns the error that lists the evaluation's failures."""
    return NotBlessed(
        "expected blessed models, received ones that fail evaluation; nothing was pushed:\n  "
        + "\n  ".join(outcome.failures)
    )
