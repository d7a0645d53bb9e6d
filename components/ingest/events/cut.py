"""The start of the test split, for all users."""

import dataclasses

import numpy as np

from components.ingest.events.splits import find_test_starts
from components.ingest.output import counts, histories
from schema import timeline
from schema.bulk import find_event_bulk
from schema.split import Split

_USERS_PER_BATCH = 8192


@dataclasses.dataclass(frozen=True)
class Cut:
    """The start of the test split, and the time of its evaluation queries."""

    t_test: int | None
    """Seconds since epoch, UTC: later events, and those at this time, are test. None if the last
    event of each user is test."""
    now: int
    """Seconds since epoch, UTC: the time of the evaluation queries. It is the first event of test
    or, if `t_test` is None, one second after the last event of the log's bulk."""

    def find_test_starts(self, timestamps: np.ndarray, row_splits: np.ndarray) -> np.ndarray:
        """Returns the position [users] of each user's first event in test; the events of user i are
        `timestamps[row_splits[i]:row_splits[i + 1]]`, in order.
        """
        return find_test_starts(timestamps, row_splits, self.t_test)


def load_test_cut(examples_uri: str, histories_uri: str, split: Split) -> Cut:
    """Reads the cut that ingestion made; both artifacts are outputs of InteractionsGen."""
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
