"""The trained models of both stages, as evaluation reads them."""

import dataclasses
from typing import Any

import numpy as np

from schema.candidates import Candidates
from trainer.config.models import RankingConfig, RetrievalConfig


@dataclasses.dataclass(frozen=True)
class TrainedStages:
    """The models of both stages, with their training configurations."""

    query: Any
    """The loaded SavedModel of the query model."""
    ranking: Any
    """The loaded SavedModel of the ranking model."""
    candidates: Candidates
    """The items that belong to the query model."""
    retrieval_config: RetrievalConfig
    ranking_config: RankingConfig

    def item_vectors_at_test(self) -> np.ndarray:
        """[n + 1, dim + 1] with popularity as of the test cut; row 0 (the unknown item) is 0."""
        return np.pad(self.candidates.vectors_at_test(), [(1, 0), (0, 0)])
