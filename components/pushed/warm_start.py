"""Choice of the pushed version whose weights a training starts from."""

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
    """The initial weights of a training."""

    version: str
    """Pushed version whose weights are used, "" for none."""
    reason: str
    """Why no version is used; "" if one is."""
    start: WarmStart | None
    """The weights; None if no version is used."""

    def describe(self) -> dict[str, Any]:
        """Returns the entry of the summary; call it after the training."""
        if self.start is None:
            return {"version": None, "reason": self.reason}
        carried = self.start.carried
        return {"version": int(self.version), "rows": carried.rows, "anew": carried.random}


def decide_warm_start(data: TrainingData, serving_dir: str, version: str) -> WarmStartDecision:
    """Decides whether to start from `version` below `serving_dir`, a folder or a URL; "" for none.
    The weights are those before the version's final training on its own valid split.

    Weights that were trained on events of this run's valid, or later ones, would leak into model
    selection and evaluation. Then training starts from scratch, as it does if the version has no
    weights.
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
            f"version {version} was trained on events until {_format_time(weights.learned_until)}, "
            f"and valid begins at {_format_time(begins)}: its events would leak into the weights"
        )
        return WarmStartDecision("", reason, None)
    return WarmStartDecision(version, "", WarmStart(weights, data))


def _format_time(moment: int) -> str:
    return datetime.datetime.fromtimestamp(moment, datetime.timezone.utc).isoformat()
