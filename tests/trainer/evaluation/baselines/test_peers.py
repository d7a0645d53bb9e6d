"""Two blocks of items are planted: a user consumes items of one block only."""

import sys

import numpy as np
import pytest

from schema.errors import UsageError
from schema.recommend import Repeats
from trainer.config.peers import PEERS, require_package
from trainer.data.evaluation_queries import build_queries
from trainer.data.popularity import build_clock, find_users
from trainer.evaluation.baselines.interactions import build_interaction_matrix
from trainer.evaluation.baselines.peers import learn_factors, rank_peers

LEFT, RIGHT = np.arange(1, 21), np.arange(21, 41)
SIZE, NOW = 42, 1_000  # no user consumes item 41


@pytest.fixture(scope="module")
def train(timelines_of):
    """30 users of each block consume 8 random items of it; RIGHT has twice as many other users."""
    rng = np.random.default_rng(3)
    blocks = [LEFT] * 30 + [RIGHT] * 60
    return timelines_of(
        [
            (b"u%d" % user, user, rng.choice(block, 8, replace=False), range(8), 0)
            for user, block in enumerate(blocks)
        ]
    )


@pytest.fixture(scope="module")
def test(timelines_of, train):
    """Users 0 and 50 of train, of one block each, and one without history; all consume item 41."""
    history = [(b"u%d" % user, user, train.item_index[8 * user :][:8]) for user in (0, 50)]
    return timelines_of(
        [(name, index, [*items, 41], [*range(8), NOW], 8) for name, index, items in history]
        + [(b"new", 0, [41], [NOW], 0)]
    )


def rank(peers, train, test, k=12, repeats: Repeats = "exclude", now=NOW):
    queries = build_queries(test, now, repeats)
    users = find_users(queries.timelines.user_ids[queries.row], [train])
    lists = rank_peers(peers, build_clock([train], SIZE), queries, users, None, k)
    names = queries.timelines.user_ids[queries.row].tolist()
    return {peer: dict(zip(names, rows.tolist(), strict=True)) for peer, rows in lists.items()}


@pytest.mark.parametrize("peer", PEERS)
def test_the_rest_of_the_user_s_block_comes_first(train, test, peer):
    lists = rank([peer], train, test, k=5)[peer]
    for user, block in ((0, LEFT), (50, RIGHT)):
        assert set(lists[b"u%d" % user]) <= set(block.tolist())


@pytest.mark.parametrize("peer", PEERS)
def test_a_user_without_history_gets_popular_items(train, test, peer):
    counts = np.bincount(train.item_index, minlength=SIZE)
    popular = sorted(range(1, SIZE), key=lambda item: (-counts[item], item))
    assert rank([peer], train, test)[peer][b"new"] == popular[:12]


@pytest.mark.parametrize("peer", PEERS)
def test_only_the_history_is_ranked_where_lists_hold_nothing_else(timelines_of, train, peer):
    test = timelines_of([(b"u0", 0, [7, 3, 7], [1, 2, NOW], 2)])
    assert sorted(rank([peer], train, test, 4, "only")[peer][b"u0"]) == [0, 0, 3, 7]


@pytest.mark.parametrize("peer", PEERS)
def test_equal_interactions_give_equal_factors(train, peer):
    interactions = build_interaction_matrix(build_clock([train], SIZE), NOW)
    one, other = learn_factors(peer, interactions), learn_factors(peer, interactions)
    np.testing.assert_array_equal(one.users, other.users)
    np.testing.assert_array_equal(one.items, other.items)
    assert not one.items[41].any()


@pytest.mark.parametrize("peer", PEERS)
def test_events_after_the_queries_are_not_learned(timelines_of, train, test, peer):
    """After the moment of the queries, everybody consumes items of the other block."""
    later = [
        (b"u%d" % user, user, RIGHT if user < 30 else LEFT, NOW + np.arange(20), 0)
        for user in range(90)
    ]
    both = build_clock([train, timelines_of(later)], SIZE)
    queries = build_queries(test, NOW)
    users = find_users(queries.timelines.user_ids[queries.row], [train])
    lists = rank_peers([peer], both, queries, users, None, 12)[peer].tolist()
    assert lists == list(rank([peer], train, test)[peer].values())


def test_a_user_without_positive_events_has_no_factors(timelines_of, train):
    """The last user by id has a negative event only, and no row in the matrix."""
    disliked = timelines_of([(b"v", 0, [1], [5], 0)], positive=[0])
    test = timelines_of([(b"v", 0, [1, 41], [5, NOW], 1)])
    queries = build_queries(test, NOW)
    users = find_users(np.array([b"v"], object), [train, disliked])
    clock = build_clock([train, disliked], SIZE)
    lists = rank_peers(["als"], clock, queries, users, None, 3)["als"]
    assert users.tolist() == [90]
    assert set(lists[0].tolist()) <= set(RIGHT.tolist())


def test_users_have_the_numbers_of_the_clock(timelines_of):
    splits = [timelines_of([(b"b", 0, [1], [1], 0)]), timelines_of([(b"a", 0, [2], [2], 0)])]
    clock = build_clock(splits, 3)
    users = find_users(np.array([b"b", b"c", b"a"], object), splits)
    assert users.tolist() == [1, -1, 0]
    assert clock.user.tolist() == [1, 0]


def test_without_peers_there_are_no_lists(train, test):
    assert rank([], train, test) == {}


def test_without_the_package_one_sentence_says_what_to_install(monkeypatch, train, test):
    monkeypatch.setitem(sys.modules, "implicit", None)
    require_package([])
    with pytest.raises(UsageError, match=r"found none; install it with: pip install 'tandem\[pee"):
        rank(["als"], train, test)
