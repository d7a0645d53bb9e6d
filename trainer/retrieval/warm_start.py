"""A training that begins where another model ended, whose vocabularies were others."""

import dataclasses
import logging
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trainer import learned_weights
from trainer.data.training_data import TrainingData
from trainer.learned_weights import LearnedWeights, Table
from trainer.retrieval.model import RetrievalModel

_log = logging.getLogger(__name__)


@dataclasses.dataclass
class Carried:
    """What became of the weights that a model was given."""

    rows: dict[str, dict[str, int]] = dataclasses.field(default_factory=dict)
    """By vocabulary: how many values were `carried` over and how many are `new`."""
    anew: list[str] = dataclasses.field(default_factory=list)
    """Tables and variables whose shape fits nothing that was learned: they begin at random."""


class WarmStart:
    """The weights of an earlier model, for a model of these `data`."""

    def __init__(self, weights: LearnedWeights, data: TrainingData):
        self._weights = weights
        self._data = data
        self.carried = Carried()
        """What became of them, once they have been given."""

    @property
    def learned_until(self) -> int:
        """Latest event that the earlier model learned from; seconds since epoch, UTC."""
        return self._weights.learned_until

    def give(self, model: RetrievalModel) -> None:
        """Puts them in the place of the model's own; it must have its variables."""
        self.carried = Carried()
        for name, layer in model.tables.items():
            self._give_rows(name, layer)
        for name, variable in learned_weights.others(model).items():
            learned = self._weights.others.get(name)
            if learned is None or learned.shape != tuple(variable.shape):
                self.carried.anew.append(name)
            else:
                variable.assign(learned)
        rows = " ".join(
            f"{name}={counts['carried']}+{counts['new']}"
            for name, counts in self.carried.rows.items()
        )
        _log.info("retrieval begins warm carried+new %s anew=%s", rows, self.carried.anew)

    def _give_rows(self, name: str, layer: Any) -> None:
        learned = self._weights.tables.get(name)
        own = layer.embeddings.numpy()
        if learned is None or learned.rows.shape[1] != own.shape[1]:
            self.carried.anew.append(name)
            return
        ids = learned_weights.vocabulary(self._data, name)
        rows, count = carried_rows(own, ids, learned)
        layer.embeddings.assign(rows)
        self.carried.rows[name] = {"carried": count, "new": len(ids) - count}


def carried_rows(own: np.ndarray, ids: pa.Array, learned: Table) -> tuple[np.ndarray, int]:
    """`own` [n + 1, width] with the learned rows of those of its `ids` [n] that were known, and how
    many they are. The unknown value's row is always carried over; a new id keeps its own.
    """
    place = pc.index_in(ids, value_set=learned.ids)
    known = pc.is_valid(place).to_numpy(zero_copy_only=False)
    rows = own.copy()
    rows[0] = learned.rows[0]
    rows[1 + np.flatnonzero(known)] = learned.rows[1 + place.drop_null().to_numpy()]
    return rows, int(known.sum())
