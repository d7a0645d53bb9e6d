"""The pushed version that a training begins from, where it may."""

import dataclasses
import datetime
from typing import Any

from schema.signatures import RECOMMENDER
from serving.versions.origin import CANDIDATES_FOLDER, get_extra_folder
from serving.versions.store import open_version_store
from trainer.data.training_data import TrainingData
from trainer.retrieval.warm_start import WarmStart, load_weights


@dataclasses.dataclass(frozen=True)
class WarmStartDecision:
    """How a training begins."""

    version: str
    """Pushed version whose weights it is given, "" for none."""
    reason: str
    """Why it has none; "" where it has them."""
    start: WarmStart | None

    def describe(self) -> dict[str, Any]:
        """What the summary says of it, once the model has been trained."""
        if self.start is None:
            return {"version": None, "reason": self.reason}
        return {"version": int(self.version), **dataclasses.asdict(self.start.carried)}


def decide_warm_start(data: TrainingData, serving_dir: str, version: str) -> WarmStartDecision:
    """From `version` below `serving_dir`, a folder or a URL, "" for none: from what it was before
    its last passes over its own valid.

    Weights that have learned events of this valid, or later ones, would be chosen, and judged, by
    what they know: then the training begins anew, as it does where the version has none beside it.
    """
    if not version:
        return WarmStartDecision("", "nothing is pushed yet", None)
    with open_version_store(serving_dir).open_copy(RECOMMENDER, int(version)) as folder:
        extra = get_extra_folder(folder, version)
        weights = load_weights(str(extra / CANDIDATES_FOLDER))
    if weights is None:
        return WarmStartDecision(
            "", f"version {version} was pushed without retrieval.warm_start", None
        )
    begins = data.moment(data.valid)
    if weights.learned_until >= begins:
        reason = (
            f"version {version} has learned until {_format_time(weights.learned_until)}, and valid "
            f"begins at {_format_time(begins)}: its events would be known"
        )
        return WarmStartDecision("", reason, None)
    return WarmStartDecision(version, "", WarmStart(weights, data))


def _format_time(moment: int) -> str:
    return datetime.datetime.fromtimestamp(moment, datetime.timezone.utc).isoformat()
