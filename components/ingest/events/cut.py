"""The time of the evaluation queries of the test split."""

import numpy as np

from components.ingest.output import counts, histories
from schema import timeline
from schema.bulk import find_event_bulk
from schema.split import Split

_USERS_PER_BATCH = 8192


def load_query_time(examples_uri: str, histories_uri: str, split: Split) -> int:
    """Reads the time of the queries of test, in seconds since epoch, UTC, from the outputs of
    InteractionsGen. It is that of the first event of test or, without a clock, one second after the
    last event of the log's bulk.
    """
    times = np.concatenate(
        [
            table[timeline.TIMESTAMPS].combine_chunks().flatten().to_numpy()
            for table in histories.read_tables(histories_uri, _USERS_PER_BATCH)
        ]
    )
    if not split.has_clock:
        return find_event_bulk(times).end
    return int(times[times >= counts.load(examples_uri).totals["t_test"]].min())
