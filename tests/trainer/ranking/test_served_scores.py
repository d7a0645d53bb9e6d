"""No training-serving skew: the servable's scores from strings equal those from training's
arrays.
"""

import types

import numpy as np
import pytest
import tensorflow as tf

from schema import timeline
from schema.candidates import Candidates, to_text_array
from serving.graph.item_table import ItemTable
from serving.graph.modules import RankingServable
from trainer.config.models import RankingConfig, RetrievalConfig
from trainer.data.evaluation_queries import build_queries
from trainer.data.transition_table import NO_ITEM, TransitionTable
from trainer.data.windows import cut_windows, pad_windows
from trainer.layers.features import build_feature_specs
from trainer.ranking.bias_baseline import BiasBaseline
from trainer.ranking.examples import build_labelled_examples
from trainer.ranking.export import RankingModule, save_ranking_model
from trainer.ranking.inputs import RetrievalState, create_encoder
from trainer.ranking.network import RankingItems, RankingNetwork
from trainer.ranking.rerank import create_scorer, score_relevance
from trainer.retrieval.export import QueryModule, encode_queries, save_query_model
from trainer.retrieval.towers import QueryTower

LENGTH, DIM, EVENT = 3, 6, 2
CONFIG = RetrievalConfig(embedding_dim=DIM, history_length=LENGTH, temperature=0.5)
VECTORS = np.vstack([np.zeros(DIM), np.random.default_rng(8).normal(size=(3, DIM))]).astype("f")
LOG_POPULARITY = np.array([0, 0.5, 1.5, 1.0], np.float32)


@pytest.fixture(scope="module")
def log(planted, timelines_of):
    """The first planted timeline, as read by `trainer.data.timelines`, from its third event on."""
    out = next(row for row in planted.timelines_out if row["user_id"] == b"u")
    ids = planted.items_graph.vocabulary_by_name("item_id")
    raw = planted.timelines[0]
    items = [ids.index(item) + 1 if item in ids else 0 for item in raw["item_ids"]]
    row = (b"u", int(out["user_index"]), items, raw["timestamps"], EVENT)
    context = {
        name: np.asarray(out[f"context_{name}$ragged_values"])
        for name in planted.dataset.features.context
    }
    users = {"region": np.array([out["user_region"]], np.int32)}
    return timelines_of([row], labels={"rating": raw["label_rating"]}, context=context, users=users)


@pytest.fixture(scope="module")
def query(planted, log, tmp_path_factory):
    tf.keras.utils.set_random_seed(8)
    features, graph = planted.dataset.features, planted.timelines_graph
    tower = QueryTower(
        2,
        build_feature_specs(features.users, timeline.name_user_feature, graph),
        build_feature_specs(features.context, timeline.name_context, graph),
        CONFIG,
    )
    graphs = (planted.items_graph, graph)
    module = QueryModule(tower, VECTORS, 0.7, CONFIG, planted.dataset, graphs)
    batch = pad_windows(log, cut_windows(log, LENGTH), np.arange(1))
    module.encode({k: tf.constant(v) for k, v in batch.items()})
    path = str(tmp_path_factory.mktemp("query"))
    save_query_model(module, batch, path)
    return tf.saved_model.load(path)


@pytest.fixture(scope="module")
def state(log, query):
    """Nothing is popular yet on the log's first day."""
    return RetrievalState(create_encoder(query), VECTORS, lambda _: np.zeros(4, "f"), CONFIG)


@pytest.fixture(scope="module")
def ranking(planted, log, state, tmp_path_factory):
    """Random heads, so that every feature affects every score."""
    tf.keras.utils.set_random_seed(9)
    labels = planted.dataset.labels.ranking
    context = build_feature_specs(
        planted.dataset.features.context, timeline.name_context, planted.timelines_graph
    )
    baselines = {"rating": BiasBaseline(3.0, 1.0, np.arange(4) / 4, np.array([0, 0.5, -0.5]))}
    neighbours = np.array([[NO_ITEM] * 2, [2, 3], [1, 3], [1, 2]], np.int32)
    strengths = np.array([[0, 0], [0.7, 0.2], [0.3, 0.1], [0.6, 0.4]], np.float32)
    transitions = TransitionTable(neighbours, strengths)
    items = RankingItems(VECTORS, np.array([False, True, False, True]), transitions)
    config = RankingConfig(id_dim=3, hidden_units=[8])
    network = RankingNetwork(items, 2, context, labels, baselines, config)
    inputs = build_labelled_examples(log, state).inputs()
    network({name: tf.constant(values) for name, values in inputs.items()})
    for weights in network.trainable_variables:
        weights.assign_add(tf.random.normal(weights.shape, stddev=0.3))
    path = str(tmp_path_factory.mktemp("ranking"))
    save_ranking_model(RankingModule(network, labels, {}, inputs), path)
    return tf.saved_model.load(path)


def _served(planted, query, ranking, log_popularity, candidates, rows=1, **changes):
    """`rating` and `relevance` of the candidates just before the third event, in `rows` rows."""
    raw = planted.timelines[0]
    ids = to_text_array(planted.items_graph.vocabulary_by_name("item_id"))
    vectors = np.column_stack([VECTORS, log_popularity])[1:].astype(np.float32)
    table = ItemTable(Candidates(ids, ids, vectors, log_popularity[1:], np.zeros((0, DIM + 1))))
    request = {
        "user_id": [b"u"],
        "history_item_ids": [raw["item_ids"][:EVENT]],
        "history_timestamps": [raw["timestamps"][:EVENT]],
        "now": [raw["timestamps"][EVENT]],
        "context_device": [raw["context_device"][EVENT]],
        "context_basket": [raw["context_basket"][EVENT]],
        "context_since": [raw["context_since"][EVENT]],
        "user_region": raw["user_region"],
        "candidate_item_ids": [candidates],
    } | changes
    whole = {"history_timestamps": tf.int64, "now": tf.int64, "context_since": tf.int64}
    inputs = {name: tf.constant(values * rows, whole.get(name)) for name, values in request.items()}
    response = RankingServable(query, table, ranking).serve(inputs)
    return types.SimpleNamespace(**{name: values.numpy() for name, values in response.items()})


def test_an_event_is_scored_in_service_as_in_training(planted, log, state, query, ranking):
    """With the event's context and the same history; `b` is the event's item."""
    examples = build_labelled_examples(log, state)
    trained = create_scorer(ranking)(examples.inputs())
    served = _served(planted, query, ranking, np.zeros(4, np.float32), [b"b"])
    assert len(examples) == 1
    for name in ("relevance", "rating"):
        np.testing.assert_allclose(getattr(served, name), trained[name], atol=1e-4)


def test_a_query_is_scored_in_service_as_in_evaluation(planted, log, query, ranking):
    """At the cut, without context, for all items in one call."""
    queries = build_queries(log, 3)
    query_vectors = encode_queries(query.positions, queries, LENGTH)
    ids = planted.items_graph.vocabulary_by_name("item_id")
    lists = np.array([[1, 2, 3]])
    score = create_scorer(ranking)
    result = score_relevance(lists, query_vectors, queries, LOG_POPULARITY, score, LENGTH)
    missing = {"context_device": [b""], "context_basket": [np.nan], "context_since": [0]}
    served = _served(planted, query, ranking, LOG_POPULARITY, list(ids), **missing)
    np.testing.assert_allclose(served.relevance, result, atol=1e-4)
    assert np.ptp(result) > 0.1


def test_context_and_moment_have_a_part_in_the_score(planted, query, ranking):
    def rated(**changes):
        return _served(planted, query, ranking, LOG_POPULARITY, [b"a"], **changes).rating

    expected = rated()
    for change in ({"context_device": [b"phone"]}, {"now": [40_000]}, {"context_basket": [-9.0]}):
        assert np.abs(rated(**change) - expected).max() > 1e-3


def test_many_are_scored_as_one_is(planted, query, ranking):
    alone = _served(planted, query, ranking, LOG_POPULARITY, [b"a", b"c"])
    together = _served(planted, query, ranking, LOG_POPULARITY, [b"a", b"c"], rows=3)
    np.testing.assert_allclose(together.relevance, np.repeat(alone.relevance, 3, 0), atol=1e-5)
    assert together.rating.shape == (3, 2)
