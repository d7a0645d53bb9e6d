"""Lists evaluated with the relevant items weighted by their inverse exposure propensity."""

import dataclasses
from typing import Any

import numpy as np

from trainer.data.propensities import ExposurePropensities
from trainer.evaluation.slice_metrics import RelevantItems
from trainer.metrics import confidence, snips
from trainer.metrics.confidence import Difference, Interval

Columns = dict[str, np.ndarray]


@dataclasses.dataclass(frozen=True)
class PropensityWeights:
    """The weights of `a` relevant items of `users` users."""

    relevant: RelevantItems
    propensities: ExposurePropensities

    @property
    def weight(self) -> np.ndarray:
        """[a]."""
        return snips.compute_weights(self.propensities.values[self.relevant.item])

    @property
    def user_weight(self) -> np.ndarray:
        """[users]."""
        return snips.average_by_user(self.relevant.user, self.weight, self.relevant.users)

    def measure(self, lists: np.ndarray) -> Columns:
        """[users, k] -> `snips_recall@10`, `snips_ndcg@10` and `snips_recall@100`, [users] each; a
        metric is the sum of its column divided by the sum of `user_weight`.
        """
        of_items = (self.relevant.user, self.weight, self.relevant.ranks(lists))
        users = self.relevant.users
        return {
            "snips_recall@10": snips.compute_snips_recall(*of_items, 10, users),
            "snips_ndcg@10": snips.compute_snips_ndcg(*of_items, 10, users),
            "snips_recall@100": snips.compute_snips_recall(*of_items, 100, users),
        }

    def compute_intervals(self, columns: Columns, seed: int) -> dict[str, Interval]:
        """The metrics of `measure` with their 95 % intervals over users."""
        return confidence.compute_ratio_intervals(columns, self.user_weight, seed)

    def compare(self, ours: Columns, theirs: Columns, seed: int) -> dict[str, Difference]:
        """Paired differences between two results of `measure`."""
        return confidence.compare_paired(ours, theirs, seed, self.user_weight)

    def describe(self) -> dict[str, Any]:
        """What the weights are based on: see `schema.evaluation_summary.PropensitySummary`."""
        weight = self.weight
        never = self.propensities.shown[self.relevant.item] == 0
        return {
            "impressions": self.propensities.impressions,
            "clip": snips.CLIP,
            "relevant": len(weight),
            "clipped": int(np.count_nonzero(weight == snips.CLIP)),
            "never_shown": int(np.count_nonzero(never)),
            "effective_users": confidence.compute_effective_size(self.user_weight),
        }
