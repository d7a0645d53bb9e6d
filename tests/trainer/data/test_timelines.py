from trainer.data.timelines import concat_timelines, restrict_from


def test_own_and_rows_by_hand(timelines_of):
    planted = timelines_of([(b"a", 1, [1, 2, 3], [1, 2, 3], 2), (b"b", 2, [4], [5], 0)])
    assert len(planted) == 2
    assert planted.rows.tolist() == [0, 0, 0, 1]
    assert planted.own.tolist() == [False, False, True, True]


def test_events_before_the_start_are_history(timelines_of):
    planted = timelines_of(
        [
            (b"a", 1, [1, 2, 3, 4], [1, 5, 6, 7], 1),
            (b"b", 2, [5], [5], 0),
            (b"c", 3, [6, 7], [1, 8], 1),
        ]
    )
    later = restrict_from(planted, 6)
    assert later.target_from.tolist() == [2, 1, 1]
    assert later.own.tolist() == [False, False, True, True, False, False, True]
    # never further back than the split itself
    assert restrict_from(planted, 0).target_from.tolist() == [1, 0, 1]


def test_joined_timelines_learn_from_the_own_events_of_both(timelines_of):
    first = timelines_of([(b"a", 1, [1, 2], [0, 1], 0)])
    second = timelines_of([(b"a", 1, [1, 2, 3], [0, 1, 2], 2), (b"b", 0, [3], [5], 0)])
    both = concat_timelines(first, second)
    assert both.user_ids.tolist() == [b"a", b"a", b"b"]
    assert both.row_splits.tolist() == [0, 2, 5, 6]
    assert both.item_index[both.own].tolist() == [1, 2, 3, 3]
    assert both.timestamps[both.own].tolist() == [0, 1, 2, 5]
