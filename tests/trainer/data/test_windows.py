import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.data.windows import batch_windows, count_batches, cut_windows, pad_windows

_shapes = st.lists(
    st.integers(1, 40).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))),
    min_size=1,
    max_size=6,
)


def _planted(timelines_of, shapes):
    """Timelines of the given (length, target_from); event i is at second i, of item i + 1."""
    rows, begin = [], 0
    for number, (length, target) in enumerate(shapes):
        events = list(range(begin, begin + length))
        rows.append((b"u%d" % number, number + 1, [e + 1 for e in events], events, target))
        begin += length
    return timelines_of(rows)


def test_a_timeline_of_ten_is_cut_as_worked_out_by_hand(timelines_of):
    cut = cut_windows(_planted(timelines_of, [(10, 3)]), 4)
    assert cut.start.tolist() == [1, 3, 5, 6]
    assert cut.target.tolist() == [3, 5, 7, 9]
    assert cut.stop.tolist() == [5, 7, 9, 10]
    assert cut.row.tolist() == [0, 0, 0, 0]


def test_a_timeline_that_fits_is_one_window(timelines_of):
    cut = cut_windows(_planted(timelines_of, [(4, 1), (2, 0)]), 4)
    assert cut.start.tolist() == [0, 4]
    assert cut.target.tolist() == [1, 4]
    assert cut.stop.tolist() == [4, 6]


def test_a_timeline_without_own_events_has_no_window(timelines_of):
    cut = cut_windows(_planted(timelines_of, [(3, 3), (2, 1)]), 4)
    assert cut.row.tolist() == [1]


@given(shapes=_shapes, length=st.integers(1, 12))
def test_windows_learn_from_each_own_event_once_and_carry_history(timelines_of, shapes, length):
    cut = cut_windows(_planted(timelines_of, shapes), length)
    learned = [e for t, s in zip(cut.target, cut.stop, strict=True) for e in range(t, s)]
    starts = np.cumsum([0] + [n for n, _ in shapes])
    own = [
        event
        for start, (n, target) in zip(starts, shapes, strict=False)
        for event in range(start + target, start + n)
    ]
    assert sorted(learned) == own
    assert ((cut.stop - cut.start) <= length).all()
    retained = length - max(length // 2, 1)
    for row, begin, target, stop in zip(cut.row, cut.start, cut.target, cut.stop, strict=True):
        assert starts[row] <= begin <= target < stop <= starts[row + 1]
        assert target - begin >= min(target - starts[row], retained)


@given(
    shapes=_shapes,
    length=st.integers(1, 12),
    positions=st.integers(12, 60),
    seed=st.none() | st.integers(0, 9),
)
def test_batches_hold_every_window_once_within_the_bound(
    timelines_of, shapes, length, positions, seed
):
    timelines = _planted(timelines_of, shapes)
    cut = cut_windows(timelines, length)
    rng = None if seed is None else np.random.default_rng(seed)
    batches = list(batch_windows(timelines, cut, positions, rng))
    assert len(batches) == count_batches(cut, positions)
    results = []
    for batch in batches:
        assert batch["item_index"].size <= positions
        for index, event, target in zip(
            batch["item_index"], batch["event"], batch["target"], strict=True
        ):
            inside = event >= 0
            assert (index[inside] == event[inside] + 1).all()  # as constructed
            assert not index[~inside].any()
            assert not target[~inside].any()
            results.append((event[inside][0], event[target][0], event[inside][-1] + 1))
    assert sorted(results) == sorted(zip(cut.start, cut.target, cut.stop, strict=True))


def test_without_shuffling_batches_are_in_order_of_length(timelines_of):
    timelines = _planted(timelines_of, [(5, 0), (1, 0), (3, 0)])
    batches = batch_windows(timelines, cut_windows(timelines, 8), 5, None)
    assert [b["item_index"].shape for b in batches] == [(1, 1), (1, 3), (1, 5)]


def test_pad_fills_up_with_zeros_and_follows_the_rows(timelines_of):
    timelines = timelines_of(
        [(b"a", 7, [3, 0, 2], [10, 20, 30], 1), (b"b", 0, [4], [15], 0)],
        positive=[True, True, True, True],
        context={"price": np.array([0.5, 1.5, 2.5, 3.5], np.float32)},
        users={"region": np.array([2, 5], np.int32), "tags": np.array([[1, 2], [3, 0]], np.int32)},
    )
    batch = pad_windows(timelines, cut_windows(timelines, 3), np.array([1, 0]))
    assert batch["item_index"].tolist() == [[4, 0, 0], [3, 0, 2]]
    assert batch["timestamps"].tolist() == [[15, 0, 0], [10, 20, 30]]
    # the second event of `a` is of an item outside the catalogue: part of the history, not a target
    assert batch["target"].tolist() == [[True, False, False], [False, False, True]]
    assert batch["event"].tolist() == [[3, -1, -1], [0, 1, 2]]
    assert batch["user_index"].tolist() == [0, 7]
    assert batch["context_price"].tolist() == [[3.5, 0, 0], [0.5, 1.5, 2.5]]
    assert batch["context_price"].dtype == np.float32
    assert batch["user_region"].tolist() == [5, 2]
    assert batch["user_tags"].tolist() == [[3, 0], [1, 2]]


@pytest.mark.parametrize("positive", [[True, False], [False, False]])
def test_events_that_are_not_positive_are_only_history(timelines_of, positive):
    timelines = timelines_of([(b"a", 1, [1, 2], [1, 2], 0)], positive=positive)
    batch = pad_windows(timelines, cut_windows(timelines, 2), np.arange(1))
    assert batch["item_index"].tolist() == [[1, 2]]
    assert batch["target"].tolist() == [positive]
