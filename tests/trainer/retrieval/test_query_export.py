"""The exported query model: raw strings give the same vectors as the trainer's batches."""

import types

import numpy as np
import pytest
import tensorflow as tf

from schema import timeline
from trainer.config.models import RetrievalConfig
from trainer.data.windows import cut_windows, pad_windows
from trainer.layers.features import build_feature_specs
from trainer.retrieval.export import QueryModule, save_query_model
from trainer.retrieval.towers import QueryTower

CONFIG = RetrievalConfig(embedding_dim=6, history_length=2, temperature=0.5, user_ids=True)
WEIGHT = 0.75
ROW, EVENT = 0, 2


@pytest.fixture(scope="module")
def log(planted, timelines_of):
    """The first planted timeline, as read by `trainer.data.timelines`."""
    rows = {row["user_id"]: row for row in planted.timelines_out}
    ids = planted.items_graph.vocabulary_by_name("item_id")
    raw, out = planted.timelines[ROW], rows[planted.timelines[ROW]["user_id"]]
    items = [ids.index(item) + 1 if item in ids else 0 for item in raw["item_ids"]]
    context = {
        name: np.asarray(out[f"context_{name}$ragged_values"])
        for name in planted.dataset.features.context
    }
    users = {"region": np.array([out["user_region"]], np.int32)}
    user = (raw["user_id"], int(out["user_index"]), items, raw["timestamps"], 0)
    return timelines_of([user], context=context, users=users)


@pytest.fixture(scope="module")
def exported(planted, log, tmp_path_factory):
    """The saved module, and the loaded one."""
    tf.keras.utils.set_random_seed(8)
    features, graph = planted.dataset.features, planted.timelines_graph
    tower = QueryTower(
        2,
        build_feature_specs(features.users, timeline.name_user_feature, graph),
        build_feature_specs(features.context, timeline.name_context, graph),
        CONFIG,
    )
    vectors = np.random.default_rng(8).normal(size=(4, 6)).astype(np.float32)
    vectors[0] = 0
    graphs = (planted.items_graph, graph)
    module = QueryModule(tower, vectors, WEIGHT, CONFIG, planted.dataset, graphs)
    batch = pad_windows(log, cut_windows(log, 3), np.arange(1))
    path = str(tmp_path_factory.mktemp("query"))
    module.encode({k: tf.constant(v) for k, v in batch.items()})
    save_query_model(module, batch, path)
    return types.SimpleNamespace(module=module, loaded=tf.saved_model.load(path), batch=batch)


def _request(planted, **changes):
    """A client's request just before the third event of the first timeline."""
    raw = planted.timelines[ROW]
    request = {
        "user_id": [raw["user_id"]],
        "history_item_ids": [raw["item_ids"][:EVENT]],
        "history_timestamps": [raw["timestamps"][:EVENT]],
        "now": [raw["timestamps"][EVENT]],
        "context_device": [raw["context_device"][EVENT]],
        "context_basket": [raw["context_basket"][EVENT]],
        "context_since": [raw["context_since"][EVENT]],
        "user_region": raw["user_region"],
    } | changes
    kinds = {"history_timestamps": tf.int64, "now": tf.int64, "context_since": tf.int64}
    return {name: tf.constant(values, kinds.get(name)) for name, values in request.items()}


def test_serving_gives_the_scores_of_the_trainer(planted, log, exported):
    """No training-serving skew: the same event through strings and Transform, and from the
    trainer's arrays.
    """
    tensors = {k: tf.constant(v) for k, v in exported.batch.items()}
    trained = exported.loaded.positions(tensors).numpy()[0, EVENT]
    served = exported.loaded.query(_request(planted))
    np.testing.assert_allclose(served["vector"].numpy()[0], trained, atol=1e-5)
    assert served["user_index"].numpy().tolist() == log.user_index.tolist()


def test_the_vector_is_the_taste_over_the_temperature_and_the_weight(planted, exported):
    """One known event before the query, less than a second old; a user id, a region, and three
    context features, of which the number of the basket and of `since` differ from the mean.
    """
    vector = exported.loaded.query(_request(planted))["vector"].numpy()[0]
    strength = 1 - np.exp(-(np.log(2) + 1 + 5))  # the initial rates are 1
    assert np.linalg.norm(vector[:-1]) == pytest.approx(strength / 0.5, rel=1e-3)
    assert vector[-1] == WEIGHT


NOTHING = {
    "user_id": [b"nobody"],
    "history_item_ids": np.zeros((1, 0), object),
    "history_timestamps": np.zeros((1, 0), np.int64),
    "context_device": [b""],
    "context_basket": [np.nan],
    "context_since": [0],
    "user_region": [b""],
}


def test_a_user_of_whom_nothing_is_known_is_served_by_the_prior(planted, exported):
    vector = exported.loaded.query(_request(planted, **NOTHING))["vector"].numpy()
    assert vector.tolist() == [[0] * 6 + [WEIGHT]]


@pytest.mark.parametrize("name", [name for name in NOTHING if name != "history_timestamps"])
def test_one_known_thing_is_evidence(planted, exported, name):
    known = NOTHING.copy()
    del known[name]
    if name == "history_item_ids":
        del known["history_timestamps"]
    vector = exported.loaded.query(_request(planted, **known))["vector"].numpy()[0]
    assert 1 - np.exp(-0.9) < np.linalg.norm(vector[:-1]) * 0.5 < 1


def test_many_queries_are_encoded_as_one_is(planted, exported):
    """Of which only the second has anything known."""
    known, nothing = _request(planted), _request(planted, **NOTHING)
    nothing |= {"history_item_ids": [[b"", b""]], "history_timestamps": tf.zeros([1, 2], tf.int64)}
    together = {key: tf.concat([nothing[key], known[key]], axis=0) for key in known}
    vectors = exported.loaded.query(together)["vector"].numpy()
    assert vectors[0].tolist() == [0] * 6 + [WEIGHT]
    alone = exported.loaded.query(known)["vector"].numpy()[0]
    np.testing.assert_allclose(vectors[1], alone, atol=1e-5)


def test_only_the_latest_history_is_read_and_padding_is_not(planted, exported):
    expected = exported.loaded.query(_request(planted))["vector"].numpy()
    longer = _request(
        planted, history_item_ids=[[b"c", b"a", b"zz"]], history_timestamps=[[0, 1, 2]]
    )
    np.testing.assert_allclose(exported.loaded.query(longer)["vector"], expected, atol=1e-5)


def test_missing_values_are_treated_as_in_training(planted, exported):
    """NaN, 0 and "" stand for the mean and for unknown values, like an unknown user and device."""
    missing = _request(
        planted, context_basket=[np.nan], context_since=[0], context_device=[b""], user_region=[b""]
    )
    mean = _request(
        planted,
        context_basket=[4.0],
        context_since=[2 * 86_400],
        context_device=[b"fridge"],
        user_region=[b"nowhere"],
    )
    outputs = exported.loaded.query(missing)["vector"].numpy()
    np.testing.assert_allclose(outputs, exported.loaded.query(mean)["vector"], atol=1e-4)
    assert np.isfinite(outputs).all()


def test_an_unknown_user_without_history_is_served_from_the_context(planted, exported):
    def query_from(device):
        empty = {
            "history_item_ids": tf.zeros([1, 0], tf.string),
            "history_timestamps": tf.zeros([1, 0], tf.int64),
        }
        request = _request(planted, user_id=[b"nobody"], context_device=[device])
        return exported.loaded.query(request | empty)

    phone, web = query_from(b"phone"), query_from(b"web")
    assert phone["user_index"].numpy().tolist() == [0]
    assert np.isfinite(phone["vector"]).all()
    assert np.abs(phone["vector"].numpy() - web["vector"].numpy()).max() > 1e-4
