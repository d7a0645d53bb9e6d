import dataclasses

import numpy as np
import pytest

from trainer.config.models import RankingConfig, RetrievalConfig
from trainer.data.popularity import SECONDS_PER_DAY as DAY
from trainer.data.popularity import build_clock
from trainer.data.popularity_forecast import ItemPopularity, create_window_forecast
from trainer.data.shown_items import ShownItems
from trainer.ranking.examples import build_labelled_examples, build_listwise_examples
from trainer.ranking.inputs import RetrievalState

ITEMS = 6
VECTORS = np.vstack([np.zeros(ITEMS), np.eye(ITEMS)]).astype(np.float32)


@pytest.fixture(scope="module")
def log(timelines_of):
    """Two users over three days; one event is negative, one of an unknown item."""
    return timelines_of(
        [
            (b"a", 1, [1, 2, 3, 1], [10, 20, DAY + 5, 2 * DAY + 5], 1),
            (b"b", 2, [4, 0, 5, 2], [15, DAY + 1, DAY + 2, DAY + 3], 0),
        ],
        positive=[1, 1, 1, 1, 1, 1, 0, 1],
        labels={"rating": [1, 2, np.nan, 4, 5, 6, 7, 8]},
    )


def _encode(batch):
    """[b, t, items + 1]: a user's vector at each event counts the earlier events by item, with
    weight 0.5.
    """
    counted = np.eye(ITEMS + 1)[batch["item_index"]]
    before = np.cumsum(counted, axis=1) - counted
    return np.concatenate([before[..., 1:], np.full((*before.shape[:2], 1), 0.5)], axis=-1)


def _state(log):
    popularity = ItemPopularity(build_clock([log], ITEMS + 1), create_window_forecast(1, 0))
    config = RetrievalConfig(history_length=4)
    return RetrievalState(_encode, VECTORS, popularity.compute_log, config)


def _config(**changes):
    return RankingConfig.model_validate({"candidates": 100, "negatives": 3} | changes)


def _build(log, **changes):
    rng = np.random.default_rng(0)
    return build_listwise_examples(log, _state(log), _config(**changes), rng)


def test_the_positive_own_known_events_in_order_of_time(log):
    examples = _build(log)
    # the first event of `a` is history; of `b`, item 0 is unknown and item 5 was not liked; the
    # last event of `a` repeats item 1, which retrieval excludes
    assert examples.candidates[:, 0].tolist() == [4, 2, 2, 3]
    assert examples.query["user_index"].tolist() == [2, 1, 2, 1]
    np.testing.assert_array_equal(examples.labels["rating"], [5, 2, 8, np.nan])
    assert len(examples) == 4


def test_a_repeated_item_is_an_example_if_repeats_are_allowed(log):
    """Its negatives are items of the history and others: retrieval returns all of them."""
    rng = np.random.default_rng(0)
    examples = build_listwise_examples(log, _state(log), _config(negatives=5), rng, "allow")
    assert examples.candidates[:, 0].tolist() == [4, 2, 2, 3, 1]
    assert all(sorted(row) == list(range(1, ITEMS + 1)) for row in examples.candidates.tolist())


def test_only_items_of_the_history_compete_if_only_repeats_are_recommended(log):
    """Only the last event of `a` repeats an item: 1, after 1, 2 and 3."""
    rng = np.random.default_rng(0)
    examples = build_listwise_examples(log, _state(log), _config(), rng, "only")
    assert examples.candidates[:, 0].tolist() == [1]
    assert sorted(examples.candidates[0, 1:].tolist()) == [0, 2, 3]


def test_a_query_contains_the_users_events_before_the_event(log):
    queries = _build(log).query["vector"][:, :-1]
    assert queries.tolist() == [
        [0, 0, 0, 0, 0, 0],
        [1, 0, 0, 0, 0, 0],
        [0, 0, 0, 1, 1, 0],
        [1, 1, 0, 0, 0, 0],
    ]


def test_negatives_are_distinct_items_without_interaction(log):
    interacted = [[], [1], [4, 5], [1, 2]]
    for row, history in zip(_build(log).candidates, interacted, strict=True):
        negatives = row[1:].tolist()
        assert len(set(negatives)) == 3
        assert not set(negatives) & {0, row[0], *history}


def test_if_too_few_items_remain_the_rest_is_zero(log):
    interacted = [[], [1], [4, 5], [1, 2]]
    candidates = _build(log, negatives=6).candidates
    assert candidates.shape == (4, 7)
    for row, history in zip(candidates, interacted, strict=True):
        remaining = sorted(set(range(1, ITEMS + 1)) - {int(row[0]), *history})
        assert sorted(row[1:].tolist()) == [0] * (6 - len(remaining)) + remaining


def test_only_retrieved_items_are_ranked(log):
    """Retrieval returns two items, the lowest unseen ones while no item is popular.

    So the first event of `b`, item 4, is not an example, but the event of `a` on 2 after 1 is (2
    and 3 are returned). On day 1 items 4 and 2 are popular: `b`, with 4 in the history, is shown 2
    (and consumes it); `a`, with 1 and 2 in the history, is shown 4 and 3 (and consumes 3).
    """
    candidates = _build(log, candidates=2, negatives=2).candidates
    assert candidates[:, 0].tolist() == [2, 2, 3]
    assert [set(row[1:]) - {0} for row in candidates.tolist()] == [{3}, {1}, {4}]


def test_popularity_is_that_at_the_beginning_of_the_day(log):
    examples = _build(log, negatives=6)
    # day 0: nothing before it; day 1: items 4 and 2 once each (item 1 belongs to the history), so
    # that each has half of 10,000 votes
    expected = [{}, {}, {2: 5000, 4: 5000}, {2: 5000, 4: 5000}]
    for items, result, votes in zip(
        examples.candidates, examples.log_popularity, expected, strict=True
    ):
        np.testing.assert_allclose(
            result, [np.log1p(votes.get(int(item), 0)) for item in items], atol=1e-6
        )


def test_without_a_clock_all_see_the_popularity_of_one_moment(log):
    state = dataclasses.replace(_state(log), popular_at=2 * DAY, has_clock=False)
    examples = build_listwise_examples(log, state, _config(), np.random.default_rng(0))
    assert len(examples) == 4
    assert (examples.query["now"] == 2 * DAY).all()
    # day 1: `b` consumed 2, `a` consumed 3
    votes = {2: 5000, 3: 5000}
    for items, result in zip(examples.candidates, examples.log_popularity, strict=True):
        expected = [np.log1p(votes.get(int(item), 0)) for item in items]
        np.testing.assert_allclose(result, expected, rtol=1e-6)


def test_the_latest_events_are_kept(log):
    examples = build_labelled_examples(log, _state(log), 2)
    assert examples.candidates.tolist() == [[2], [1]]
    assert examples.query["vector"][:, :5].tolist() == [[0, 0, 0, 1, 1], [1, 1, 1, 0, 0]]


def test_labelled_examples_are_all_events_with_a_label_positive_or_not(log):
    labelled = build_labelled_examples(log, _state(log))
    listwise = _build(log)
    # item 5 was not liked, and has a label; the event on item 3 has none
    assert labelled.candidates.tolist() == [[4], [2], [5], [2], [1]]
    np.testing.assert_array_equal(labelled.labels["rating"], [5, 2, 7, 8, 4])
    assert labelled.query["user_index"].tolist() == [2, 1, 2, 2, 1]
    for own, other in ((0, 0), (1, 1), (3, 2)):
        assert labelled.query["vector"][own].tolist() == listwise.query["vector"][other].tolist()
        assert labelled.log_popularity[own] == listwise.log_popularity[other, 0]
    assert labelled.query["vector"][2].tolist() == [0, 0, 0, 1, 0, 0, 0.5]
    # day 2, with a window of one day: item 3 and item 2 once each, item 1 not
    assert labelled.log_popularity[4].tolist() == [0]


def test_the_query_has_the_latest_history_and_its_own_moment(log):
    query = build_labelled_examples(log, _state(log)).query
    assert query["history_index"].tolist() == [
        [0, 0, 0, 0],
        [0, 0, 0, 1],
        [0, 0, 4, 0],
        [0, 4, 0, 5],
        [0, 1, 2, 3],
    ]
    assert query["now"].tolist() == [15, 20, DAY + 2, DAY + 3, 2 * DAY + 5]


def test_a_log_without_labels_has_no_labelled_example(timelines_of):
    log = timelines_of([(b"a", 1, [1, 2], [10, 20], 0)])
    examples = build_labelled_examples(log, _state(log))
    assert len(examples) == 0
    assert examples.candidates.shape == (0, 1)


def test_items_that_were_shown_and_not_clicked_are_the_first_negatives(log):
    """`b`'s first event was shown with 6, with 4 (its own item) and twice with 5; its last one with
    more items than there are negatives, one of them outside the catalogue.
    """
    shown = [[], [3], [], [], [6, 4, 5, 5], [2], [], [1, 3, 0, 6, 5]]
    splits = np.cumsum([0, *map(len, shown)])
    items = np.array([item for each in shown for item in each], np.int32)
    seen = dataclasses.replace(log, shown=ShownItems(items, splits))
    candidates = _build(seen).candidates
    assert candidates[:, 0].tolist() == [4, 2, 2, 3]
    of_b, first_of_a, last_of_b, last_of_a = candidates[:, 1:].tolist()
    assert set(of_b[:2]) == {5, 6}
    assert of_b[2] in {1, 2, 3}
    assert first_of_a[0] == 3
    assert len({*last_of_b, 2, 0}) == 5
    assert set(last_of_b) < {1, 3, 5, 6}
    assert set(last_of_a) == {4, 5, 6}


def test_an_empty_impression_changes_no_example(log):
    """The negatives are drawn from the same lists, and their number is the same."""
    none = ShownItems(np.zeros(0, np.int32), np.zeros(9, np.int64))
    for negatives in (3, 6):
        examples = _build(dataclasses.replace(log, shown=none), negatives=negatives)
        assert examples.candidates.shape == (4, 1 + negatives)
        for row, history in zip(examples.candidates, [[], [1], [4, 5], [1, 2]], strict=True):
            assert not set(row[1:].tolist()) & {row[0], *history}
