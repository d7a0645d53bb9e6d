"""What trials measured, kept on disk, so that an interrupted search need not measure it again."""

import dataclasses
import hashlib
import json
import pathlib

from trainer.config.tuning import Value


@dataclasses.dataclass(frozen=True)
class Measured:
    """One finished trial."""

    values: dict[str, Value]
    """Hyper-parameters by name."""
    metrics: dict[str, float]
    """What was measured on valid; empty where the trial failed."""
    failure: str = ""
    """Why it failed."""


class TrialRecords:
    """A folder with a file for each finished trial, written whole or not at all."""

    def __init__(self, folder: str):
        self._folder = pathlib.Path(folder)
        self._folder.mkdir(parents=True, exist_ok=True)

    def find(self, values: dict[str, Value]) -> Measured | None:
        """The record of the trial with these values; None where none has finished."""
        path = self._path(values)
        return Measured(**json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None

    def keep(self, trial: Measured) -> None:
        """Writes the record."""
        path = self._path(trial.values)
        unfinished = path.with_suffix(".tmp")
        unfinished.write_text(json.dumps(dataclasses.asdict(trial), indent=1), encoding="utf-8")
        unfinished.rename(path)

    def _path(self, values: dict[str, Value]) -> pathlib.Path:
        text = json.dumps(values, sort_keys=True)
        return self._folder / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.json"
