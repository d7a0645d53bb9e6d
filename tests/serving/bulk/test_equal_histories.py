"""Which users share one batch of the query model."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from serving.bulk.lists import group_equal_histories


def test_users_with_equally_long_histories_share_a_batch():
    # At most four events are read, so that 9 and 5 both count as four.
    equal_histories = group_equal_histories(np.array([3, 0, 9, 3, 5, 0]), 4, 10)
    assert {(tuple(sorted(rows)), length) for rows, length in equal_histories} == {
        ((1, 5), 0),
        ((0, 3), 3),
        ((2, 4), 4),
    }


@given(
    lengths=st.lists(st.integers(0, 2**19), max_size=30),
    read=st.integers(1, 50),
    most=st.integers(1, 8),
)
def test_each_user_is_in_one_batch_within_the_limits(lengths, read, most):
    rows_queried = []
    for rows, length in group_equal_histories(np.array(lengths, np.int64), read, most):
        assert 1 <= len(rows) <= most
        assert {min(lengths[row], read) for row in rows} == {length}
        assert len(rows) == 1 or len(rows) * max(lengths[row] for row in rows) <= 2**20
        rows_queried.extend(rows.tolist())
    assert sorted(rows_queried) == list(range(len(lengths)))
