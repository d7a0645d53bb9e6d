from trainer import ranking


def test_without_a_clock_every_second_timeline_is_held_out(timelines_of):
    split = timelines_of(
        [(b"a", 1, [1, 2], [3, 9], 1), (b"b", 2, [2, 3], [4, 9], 1), (b"c", 3, [1], [9], 0)]
    )
    learned, held_out = ranking.halves(split)
    assert learned.item_index[learned.own & learned.positive].tolist() == [2, 1]
    assert held_out.item_index[held_out.own & held_out.positive].tolist() == [3]
