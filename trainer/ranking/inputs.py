"""What retrieval knew at the moment of an event: vectors, and how popular everything was."""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.config.models import RetrievalConfig
from trainer.data import popularity, windows
from trainer.data.popularity import SECONDS_PER_DAY, PopularityClock
from trainer.data.timelines import Timelines
from trainer.metrics import top_k as ranked_lists

Encoder = Callable[[windows.Batch], np.ndarray]
_ROWS = 512


@dataclasses.dataclass(frozen=True)
class Moments:
    """What stands around the events of a split."""

    encode: Encoder
    vectors: np.ndarray
    """[n + 1, dim] of the items."""
    clock: PopularityClock
    config: RetrievalConfig
    popular_at: int | None = None
    """The one moment whose popularity all events see, seconds since epoch; None: each that of the
    beginning of its own day."""
    has_clock: bool = True
    """Without one an event's timestamp is no time of day, and it is asked about at `popular_at` as
    all questions are."""

    def now(self, timestamps: np.ndarray) -> np.ndarray:
        """[m] timestamps of events -> [m] the moments at which ranking is asked about them."""
        if self.has_clock:
            return timestamps
        assert self.popular_at is not None, "without a clock there is one moment for all"
        return np.full(len(timestamps), self.popular_at, np.int64)

    def log_popularity(self, moment: int) -> np.ndarray:
        """[n + 1] as of `moment`."""
        return popularity.log_popularity(self.clock.votes(moment, self.config.popularity_days))

    def days(self, timestamps: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
        """Slices of the ascending timestamps that see the same log popularity, and that [n + 1].

        As of the beginning of a day: so an event never sees itself counted.
        """
        if not len(timestamps):
            return
        day = timestamps // SECONDS_PER_DAY
        if self.popular_at is not None:
            day = np.zeros_like(day)
        for first in np.flatnonzero(np.diff(day, prepend=day[0] - 1)):
            end = int(np.searchsorted(day, day[first], side="right"))
            at = int(day[first]) * SECONDS_PER_DAY if self.popular_at is None else self.popular_at
            present = self.log_popularity(at)
            for part in ranked_lists.slices(end - int(first), _ROWS):
                yield slice(part.start + first, part.stop + first), present

    def queries(self, timelines: Timelines) -> np.ndarray:
        """[e, dim + 1] the query vector just before each event that belongs to the split; 0 for
        the others.
        """
        everything = dataclasses.replace(timelines, positive=np.ones_like(timelines.positive))
        cuts = windows.cut(everything, self.config.history_length)
        queries = None
        for batch in windows.batched(everything, cuts, self.config.positions_per_batch, None):
            vectors = self.encode(batch)
            if queries is None:
                queries = np.zeros((len(timelines.item_index), vectors.shape[-1]), np.float32)
            queries[batch["event"][batch["target"]]] = vectors[batch["target"]]
        assert queries is not None, "ingestion lets no empty split through"
        return queries


def encoder(query: Any) -> Encoder:
    """numpy in, numpy out, around the `positions` of a loaded query model."""

    def encode(batch: windows.Batch) -> np.ndarray:
        return query.positions({k: tf.constant(v) for k, v in batch.items()}).numpy()

    return encode
