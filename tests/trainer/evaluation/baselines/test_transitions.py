"""Lists of a planted log: who consumes 1 consumes 2 next, who consumes 3 consumes 4 next."""

import numpy as np
import pytest

from schema.recommend import Repeats
from trainer.data.evaluation_queries import build_queries
from trainer.data.item_transitions import build_transitions
from trainer.data.popularity import build_clock
from trainer.evaluation.baselines.rank import rank_baselines
from trainer.evaluation.baselines.transitions import rank_by_transitions

COUNTS = np.array([0, 1, 1, 2, 3, 50, 40])
NOW = 100


@pytest.fixture
def train(timelines_of):
    pairs = [(b"%d" % user, 0, [1, 2] if user % 2 else [3, 4], [10, 20], 0) for user in range(20)]
    return timelines_of([*pairs, *((b"p%d" % user, 0, [5], [5], 0) for user in range(30))])


@pytest.fixture
def transitions(train):
    return build_transitions(build_clock([train], 7), NOW)


def rank(timelines_of, transitions, items, k=3, repeats: Repeats = "exclude", positive=None):
    """The list of a user with `items` before the query, who then consumes item 6."""
    times = [*range(len(items)), NOW]
    log = timelines_of([(b"q", 0, [*items, 6], times, len(items))], positive)
    lists = rank_by_transitions(build_queries(log, NOW, repeats), transitions, COUNTS, k)
    return lists[0].tolist()


def test_the_planted_successor_is_first_and_popular_items_follow(timelines_of, transitions):
    assert rank(timelines_of, transitions, [1]) == [2, 5, 6]
    assert rank(timelines_of, transitions, [3]) == [4, 5, 6]


def test_the_newest_item_counts_most(timelines_of, transitions):
    assert rank(timelines_of, transitions, [1, 3]) == [4, 2, 5]
    assert rank(timelines_of, transitions, [3, 1]) == [2, 4, 5]
    assert rank(timelines_of, transitions, [1, 3, 1]) == [2, 4, 5]


def test_a_predecessor_is_better_than_popular_items(timelines_of, transitions):
    assert rank(timelines_of, transitions, [2]) == [1, 5, 6]


def test_a_user_without_history_gets_popular_items(timelines_of, transitions):
    assert rank(timelines_of, transitions, [], 6) == [5, 6, 4, 3, 1, 2]


def test_negative_events_and_unknown_items_have_no_successors(timelines_of, transitions):
    assert rank(timelines_of, transitions, [1], positive=[0, 1]) == [5, 6, 4]
    assert rank(timelines_of, transitions, [0, 3]) == [4, 5, 6]


def test_where_items_of_the_history_may_be_recommended(timelines_of, transitions):
    assert rank(timelines_of, transitions, [1, 2], 3, "allow") == [2, 1, 5]
    assert rank(timelines_of, transitions, [2], 3, "allow") == [1, 2, 5]  # from 2 to 1 and back
    lists = rank_by_transitions(
        build_queries(timelines_of([(b"q", 0, [1, 2, 5, 1], [0, 1, 2, NOW], 3)]), NOW, "only"),
        transitions, COUNTS, 4,
    )  # fmt: skip
    assert lists[0].tolist() == [2, 1, 5, 0]


def test_it_is_a_baseline_of_every_run_from_events_before_the_queries_only(timelines_of, train):
    """After the moment of the queries everybody consumes 6 after 1."""
    later = timelines_of([(b"l%d" % u, 0, [1, 6], [NOW, NOW + 1], 0) for u in range(50)])
    queries = build_queries(timelines_of([(b"q", 0, [1, 6], [0, NOW], 1)]), NOW)
    baselines = rank_baselines(build_clock([train, later], 7), queries, recent_days=None, k=2)
    assert baselines["item_transitions"].tolist() == [[2, 5]]


def test_recently_popular_items_follow_where_events_have_times(timelines_of):
    day = 86_400
    train = timelines_of(
        [(b"%d" % user, 0, [1], [0], 0) for user in range(5)] + [(b"n", 0, [2], [9 * day], 0)]
    )
    queries = build_queries(timelines_of([(b"q", 0, [3], [10 * day], 0)]), 10 * day)
    clock = build_clock([train], 4)
    assert rank_baselines(clock, queries, 3, 3)["item_transitions"].tolist() == [[2, 1, 3]]
    assert rank_baselines(clock, queries, None, 3)["item_transitions"].tolist() == [[1, 2, 3]]
