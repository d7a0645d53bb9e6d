"""The pushed version that a training begins from, where it may."""

import dataclasses
import datetime
from typing import Any

from schema.errors import TandemError
from schema.signatures import RECOMMENDER
from serving import pushed_origin, stored_versions
from trainer import learned_weights
from trainer.training_data import TrainingData
from trainer.warm_start import WarmStart


@dataclasses.dataclass(frozen=True)
class Beginning:
    """How a training begins."""

    version: str
    """Pushed version whose weights it is given, "" for none."""
    reason: str
    """Why it has none; "" where it has them."""
    start: WarmStart | None

    def described(self) -> dict[str, Any]:
        """What the summary says of it, once the model has been trained."""
        if self.start is None:
            return {"version": None, "reason": self.reason}
        return {"version": int(self.version), **dataclasses.asdict(self.start.carried)}


def beginning(data: TrainingData, serving_dir: str, version: str) -> Beginning:
    """From `version` below `serving_dir`, a folder or a URL, "" for none.

    A version that has learned events of valid or of test would be chosen, and judged, by what it
    knows: then the training begins anew, as it does where the version has no weights beside it.
    """
    if not version:
        return Beginning("", "nothing is pushed yet", None)
    try:
        folder = pushed_origin.folder(serving_dir, version)
        evaluated = pushed_origin.read(folder / pushed_origin.ORIGIN).evaluated
    except TandemError as error:
        return Beginning("", f"version {version}: {error}", None)
    begins = data.moment(data.valid)
    if evaluated.learned_until >= begins:
        reason = (
            f"version {version} has learned until {_said(evaluated.learned_until)}, and valid "
            f"begins at {_said(begins)}: its events would be known"
        )
        return Beginning("", reason, None)
    weights = learned_weights.load(str(folder / pushed_origin.CANDIDATES))
    if weights is None:
        return Beginning("", f"version {version} was pushed without retrieval.warm_start", None)
    return Beginning(version, "", WarmStart(weights, data))


def _said(moment: int) -> str:
    return datetime.datetime.fromtimestamp(moment, datetime.timezone.utc).isoformat()
