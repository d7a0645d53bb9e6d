"""What was known of every user when test began."""

import dataclasses

import numpy as np

from components.ingest.events.splits import find_test_starts
from components.ingest.output import counts, histories
from schema import timeline
from schema.bulk import find_event_bulk
from schema.dataset import Split

_USERS_PER_BATCH = 8192


@dataclasses.dataclass(frozen=True)
class Cut:
    """The moment of the test split, and where it parts each user's events."""

    t_test: int | None
    """Seconds since epoch, UTC: events from here on are test. None where each user's last event
    is."""
    now: int
    """Seconds since epoch, UTC: when test's questions are asked. The first event of test, or, where
    each user has a time of its own, one second after the log's bulk."""

    def find_test_starts(self, timestamps: np.ndarray, row_splits: np.ndarray) -> np.ndarray:
        """[u] position of each user's first event of test; their events are
        `timestamps[row_splits[i]:row_splits[i + 1]]`, in order.
        """
        return find_test_starts(timestamps, row_splits, self.t_test)


def load_test_cut(examples_uri: str, histories_uri: str, split: Split) -> Cut:
    """The cut that ingestion made; both artifacts are InteractionsGen's."""
    times = np.concatenate(
        [
            table[timeline.TIMESTAMPS].combine_chunks().flatten().to_numpy()
            for table in histories.read_tables(histories_uri, _USERS_PER_BATCH)
        ]
    )
    if split.kind == "last_item":
        return Cut(None, find_event_bulk(times).end)
    t_test = counts.load(examples_uri).totals["t_test"]
    return Cut(t_test, int(times[times >= t_test].min()))
