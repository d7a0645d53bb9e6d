"""Builders of planted timelines: small enough to work the answer out by hand."""

import numpy as np
import pytest

from trainer.timelines import Timelines


def _timelines(rows, positive=None, labels=None, context=None, users=None):
    """`rows` are (user id, user index, item indices, timestamps, target_from), one a timeline.

    Every event is positive unless `positive` [e] says otherwise.
    """
    lengths = [len(items) for _, _, items, _, _ in rows]
    item_index = np.concatenate([np.array(items, np.int32) for _, _, items, _, _ in rows])
    return Timelines(
        user_ids=np.array([user for user, *_ in rows], object),
        user_index=np.array([index for _, index, *_ in rows], np.int32),
        row_splits=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        target_from=np.array([target for *_, target in rows], np.int64),
        item_index=item_index,
        timestamps=np.concatenate([np.array(times, np.int64) for *_, times, _ in rows]),
        positive=np.ones(len(item_index), bool) if positive is None else np.array(positive, bool),
        labels={name: np.array(values, np.float32) for name, values in (labels or {}).items()},
        context=context or {},
        users=users or {},
    )


@pytest.fixture(scope="session")
def timelines_of():
    return _timelines
