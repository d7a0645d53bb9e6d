"""Weights by hand, and what they do to the order on a planted log whose old system showed items at
very unequal rates.
"""

import dataclasses
from typing import Any

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from trainer.config.models import RankingConfig, RetrievalConfig
from trainer.data.popularity import build_clock
from trainer.data.popularity_forecast import ItemPopularity, create_window_forecast
from trainer.data.propensities import ExposurePropensities, count_impressions
from trainer.data.shown_items import ShownItems
from trainer.data.timelines import Timelines, split_halves
from trainer.data.transition_table import NO_ITEM, TransitionTable
from trainer.ranking.example_weights import fill_weights, find_shown_share, weigh_by_propensity
from trainer.ranking.examples import RankingExamples, build_listwise_examples
from trainer.ranking.inputs import RetrievalState
from trainer.ranking.model import RankingModel
from trainer.ranking.network import RankingItems, RankingNetwork
from trainer.ranking.training import build_batches, fit_ranking
from trainer.training.context import TrainingContext

ITEMS = 20


@pytest.fixture
def log(timelines_of):
    """Three events: one shown with items 3 and 4, one with none, one with 3, 4 and 9."""
    events = timelines_of([(b"a", 1, [1, 2, 2], [10, 20, 30], 0)])
    return dataclasses.replace(
        events, shown=ShownItems(np.array([3, 4, 3, 4, 9], np.int32), np.array([0, 2, 2, 5]))
    )


@pytest.fixture
def examples():
    """The last two events, then the first one; items 5 to 8 were retrieved."""
    return RankingExamples(
        query={},
        candidates=np.array([[2, 5, 6, 7, 8], [2, 4, 3, 0, 0], [1, 3, 5, 4, 6]], np.int32),
        log_popularity=np.zeros((3, 5), np.float32),
        labels={},
        event=np.array([1, 2, 0]),
    )


# (shown + 1) / (impressions + 2): item 1 in 0.8 of the impressions, item 2 in 0.2
PROPENSITIES = ExposurePropensities(8, np.array([0, 7, 1, 0, 0]))


def weigh(examples, log, propensities):
    """The weights, which exist."""
    weight = weigh_by_propensity(examples, log, propensities).weight
    assert weight is not None
    return weight


def test_the_share_of_shown_negatives_is_found(examples, log):
    assert find_shown_share(examples, log).tolist() == [0, 1, 0.5]


def test_weights_by_hand(examples, log):
    weight = weigh(examples, log, PROPENSITIES)
    # item 2 has the median propensity, and a weight of 1; item 1 has 1/4 to the power of a half
    factor = np.array([1, 1, 0.5])
    np.testing.assert_allclose(weight, factor / factor.mean())


def test_weights_of_events_are_multiplied(examples, log):
    weighted = dataclasses.replace(examples, weight=np.array([2, 1, 4], np.float32))
    weight = weigh(weighted, log, PROPENSITIES)
    np.testing.assert_allclose(weight, np.array([2, 1, 2]) / (2.5 / 3))


def test_equal_propensities_change_no_weight(examples, log):
    equal = ExposurePropensities(8, np.full(5, 3))
    for propensities in (equal, None):
        weight = weigh(examples, log, propensities)
        np.testing.assert_allclose(weight, np.ones(3))


def test_all_batches_of_an_epoch_have_the_same_arrays(examples, log):
    weighed = weigh_by_propensity(examples, log, PROPENSITIES)
    first, second = build_batches(weighed, 3), build_batches(fill_weights(examples), 3)
    assert first[0].keys() == second[0].keys()
    assert second[0]["weight"].tolist() == [1, 1, 1]
    assert fill_weights(weighed) is weighed


def _plant(shown: int, events: int = 3000) -> tuple[Timelines, np.ndarray]:
    """Impressions of `shown` of 20 items, drawn at rates that fall by a factor of e^4 or so, with
    one click by a softmax of what the user likes. Returns it as well, [20].
    """
    rng = np.random.default_rng(2)
    liked = rng.normal(size=ITEMS)
    rates = rng.permutation(-np.arange(ITEMS) / 4)
    lists = np.argsort(rates + rng.gumbel(size=(events, ITEMS)), axis=1)[:, -shown:]
    at = np.argmax(liked[lists] + rng.gumbel(size=lists.shape), axis=1)
    clicked = np.arange(shown) == at[:, None]
    return Timelines(
        user_ids=np.array([b"%d" % n for n in range(events)], object),
        user_index=np.zeros(events, np.int32),
        row_splits=np.arange(events + 1),
        target_from=np.zeros(events, np.int64),
        item_index=(lists[clicked] + 1).astype(np.int32),
        timestamps=np.arange(events) * 300,
        positive=np.ones(events, bool),
        labels={},
        context={},
        users={},
        shown=ShownItems(
            (lists[~clicked] + 1).astype(np.int32), np.arange(events + 1) * (shown - 1)
        ),
    ), liked


def _learn_order(log: Timelines, weighed: bool, folder: str) -> np.ndarray:
    """[20] scores of ranking, trained on the log with retrieval that knows nothing."""
    tf.keras.utils.set_random_seed(1)
    vectors = np.vstack([np.zeros(ITEMS), np.eye(ITEMS)]).astype(np.float32)
    width = ITEMS + 1
    state = RetrievalState(
        lambda batch: np.zeros((*batch["item_index"].shape, width), np.float32),
        vectors,
        ItemPopularity(build_clock([log], width), create_window_forecast(7, 0)).compute_log,
        RetrievalConfig(history_length=2),
    )
    config = RankingConfig(
        candidates=ITEMS, negatives=8, epochs=6, batch_size=128, learning_rate=0.005
    )
    rng = np.random.default_rng(1)
    halves = split_halves(log)
    learned, held_out = (build_listwise_examples(h, state, config, rng) for h in halves)
    if weighed:
        propensities = count_impressions([log], width)
        learned = weigh_by_propensity(learned, halves[0], propensities)
        held_out = weigh_by_propensity(held_out, halves[1], propensities)
    none = TransitionTable(np.full((width, 1), NO_ITEM, np.int32), np.zeros((width, 1), np.float32))
    items = RankingItems(vectors, np.ones(width, bool), none)
    network = RankingNetwork(items, 1, [], {}, {}, config)
    network.adapt({name: tf.constant(values) for name, values in learned.inputs().items()})
    nothing: Any = None
    context = TrainingContext(nothing, config, 1, f"{folder}/log", f"{folder}/checkpoints")
    fit_ranking(RankingModel(network, {}, {}), [learned] * 2, held_out, context)
    query = {name: tf.constant(values[-1:]) for name, values in held_out.query.items()}
    everything = np.arange(1, width, dtype=np.int32)[np.newaxis]
    popularity = state.log_popularity(int(log.timestamps[-1]))[everything]
    inputs = {"candidates": tf.constant(everything), "log_popularity": tf.constant(popularity)}
    return network(query | inputs)["relevance"].numpy()[0]


def test_the_order_learned_from_short_impressions_is_closer_to_what_users_like(tmp_path):
    log, liked = _plant(shown=3)
    closeness = [
        scipy.stats.spearmanr(_learn_order(log, weighed, f"{tmp_path}/{weighed}"), liked)[0]
        for weighed in (False, True)
    ]
    assert closeness[1] > closeness[0] + 0.1
