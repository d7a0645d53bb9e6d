import numpy as np
import pytest

from trainer.data.evaluation_queries import build_queries


def test_relevant_items_are_new_positive_known_and_distinct(timelines_of):
    queries = build_queries(
        timelines_of(
            [
                # 1, 2 and 1 again before the cut; then 2 (seen), 3 twice, 4 (negative), 0 (unknown)
                (b"ann", 1, [1, 2, 1, 2, 3, 3, 4, 0], [1, 2, 3, 10, 11, 12, 13, 14], 3),
                (b"bob", 2, [5], [10], 0),  # new: no history
                (b"cid", 3, [6, 6], [1, 10], 1),  # only an item of the history: no query
                (b"dan", 4, [7, 8], [1, 12], 1),
            ],
            positive=[1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1],
        ),
        10,
    )
    assert len(queries) == 3
    assert queries.timelines.user_ids[queries.row].tolist() == [b"ann", b"bob", b"dan"]
    assert [a.tolist() for a in queries.relevant] == [[3], [5], [8]]
    assert [s.tolist() for s in queries.interacted] == [[1, 2], [], [7]]


def test_a_user_in_several_windows_has_one_query_at_the_cut(timelines_of):
    """The second window has events of the split itself as history, and may be stored first."""
    first = (b"ann", 1, [1, 2, 3], [1, 10, 11], 1)
    second = (b"ann", 1, [1, 2, 3, 4, 1], [1, 10, 11, 12, 13], 3)
    for rows in ([first, second], [second, first]):
        queries = build_queries(timelines_of(rows), 10)
        assert len(queries) == 1
        assert queries.timelines.target_from[queries.row].tolist() == [1]
        assert queries.interacted[0].tolist() == [1]
        assert queries.relevant[0].tolist() == [2, 3, 4]


def test_a_window_that_ended_before_the_cut_has_no_query(timelines_of):
    over = (b"ann", 1, [1, 2], [1, 5], 2)
    current = (b"ann", 1, [1, 2, 3, 4], [1, 5, 9, 10], 3)
    early = (b"bob", 2, [7, 8], [0, 12], 1)
    queries = build_queries(timelines_of([over, early, current]), 10)
    assert queries.row.tolist() == [2, 1]
    assert [s.tolist() for s in queries.interacted] == [[1, 2, 3], [7]]
    assert [a.tolist() for a in queries.relevant] == [[4], [8]]


def test_negative_events_are_part_of_the_history(timelines_of):
    queries = build_queries(
        timelines_of([(b"ann", 1, [1, 2], [1, 10], 1)], positive=[False, True]), 10
    )
    assert queries.interacted[0].tolist() == [1]


def test_a_batch_is_the_latest_history_and_one_query_position(timelines_of):
    queries = build_queries(
        timelines_of(
            [
                (b"ann", 1, [1, 2, 3, 4], [1, 2, 3, 10], 3),
                (b"bob", 2, [5], [10], 0),
            ],
            context={"device": np.array([7, 8, 9, 6, 5], np.int32)},
            users={"region": np.array([3, 4], np.int32)},
        ),
        99,
    )
    batch = queries.batch(slice(0, 2), 2)
    assert batch["item_index"].tolist() == [[2, 3, 0], [0, 0, 0]]
    assert batch["timestamps"].tolist() == [[2, 3, 99], [0, 0, 99]]
    assert batch["context_device"].tolist() == [[8, 9, 0], [0, 0, 0]]
    assert batch["user_index"].tolist() == [1, 2]
    assert batch["user_region"].tolist() == [3, 4]


def test_without_relevant_items_there_are_no_queries(timelines_of):
    queries = build_queries(timelines_of([(b"ann", 1, [1, 1], [1, 10], 1)]), 10)
    assert len(queries) == 0


@pytest.mark.parametrize(
    ("repeats", "relevant"),
    [
        ("exclude", {"ann": [3], "bob": [5]}),
        ("allow", {"ann": [2, 3], "bob": [5], "cid": [6]}),
        ("only", {"ann": [2], "cid": [6]}),
    ],
)
def test_whether_an_item_of_the_history_is_relevant_follows_repeats(
    timelines_of, repeats, relevant
):
    log = timelines_of(
        [
            (b"ann", 1, [1, 2, 2, 2, 3], [1, 2, 10, 11, 12], 2),
            (b"bob", 2, [5], [10], 0),
            (b"cid", 3, [6, 6], [1, 10], 1),
        ]
    )
    queries = build_queries(log, 10, repeats)
    names = [user.decode() for user in queries.timelines.user_ids[queries.row]]
    result = dict(zip(names, (items.tolist() for items in queries.relevant), strict=True))
    assert result == relevant
    assert queries.repeats == queries.select(np.arange(1)).repeats == repeats
