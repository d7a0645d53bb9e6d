"""Bulk lists equal lists computed in numpy, and the answers of the exported servables."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf

from schema.candidates import Candidates, to_text_array
from serving.bulk import lists
from serving.bulk.lists import BulkRecommender
from serving.bulk.users import build_user_batch
from serving.client.messages import ListingQuery, build_listing_request
from serving.graph.export import export_servables, get_listing_inputs
from serving.graph.modules import RecommenderModels
from serving.index.build import save_index
from serving.index.exact import ExactIndex
from serving.server.servable import load_servable

ITEMS, READ, DEPTH, NOW = 40, 4, 12, 1_000
IDS = [f"i{n}" for n in range(ITEMS)]
RNG = np.random.default_rng(11)
VECTORS = RNG.normal(size=(ITEMS, 3)).astype(np.float32)
SPECS = {
    "user_id": tf.TensorSpec([None], tf.string, name="user_id"),
    "history_item_ids": tf.TensorSpec([None, None], tf.string, name="history_item_ids"),
    "history_timestamps": tf.TensorSpec([None, None], tf.int64, name="history_timestamps"),
    "now": tf.TensorSpec([None], tf.int64, name="now"),
    "user_region": tf.TensorSpec([None], tf.string, name="user_region"),
}


class Query(tf.Module):
    """Adds up the vectors of the latest `READ` items, each halved for every 100 s of its age: so
    the result changes if a history is padded, cut elsewhere, or belongs to another user.
    """

    def __init__(self):
        super().__init__()
        keys = tf.lookup.KeyValueTensorInitializer(IDS, tf.range(ITEMS))
        self.table = tf.lookup.StaticHashTable(keys, ITEMS)
        self.vectors = tf.Variable(np.vstack([VECTORS, np.ones((1, 3), np.float32)]))
        self.query = tf.function(self._query, input_signature=[SPECS])

    def _query(self, inputs):
        index = self.table.lookup(inputs["history_item_ids"][:, -READ:])
        age = inputs["now"][:, tf.newaxis] - inputs["history_timestamps"][:, -READ:]
        weight = tf.pow(0.5, tf.cast(age, tf.float32) / 100)[..., tf.newaxis]
        start = tf.where(inputs["user_region"] == "north", 0.0, 0.5)
        total = tf.reduce_sum(weight * tf.gather(self.vectors, index), 1)
        return {
            "vector": total + start[:, tf.newaxis],
            "user_index": tf.ones_like(inputs["user_id"] == "", tf.int32),
            "history_index": (index + 1) % (ITEMS + 1),
        }


RANKING_SPECS = {
    "vector": tf.TensorSpec([None, 3], tf.float32, name="vector"),
    "user_index": tf.TensorSpec([None], tf.int32, name="user_index"),
    "history_index": tf.TensorSpec([None, None], tf.int32, name="history_index"),
    "candidates": tf.TensorSpec([None, None], tf.int32, name="candidates"),
    "log_popularity": tf.TensorSpec([None, None], tf.float32, name="log_popularity"),
}


class Ranking(tf.Module):
    """An item's relevance is its position in the catalogue."""

    def __init__(self):
        super().__init__()
        self.item_vectors = tf.Variable(np.pad(VECTORS[:, :-1], [(1, 0), (0, 0)]))

    @tf.function(input_signature=[RANKING_SPECS])
    def score(self, inputs):
        return {"relevance": tf.cast(inputs["candidates"], tf.float32)}


CANDIDATES = Candidates(
    item_ids=to_text_array(IDS),
    titles=to_text_array(IDS),
    vectors=VECTORS,
    log_popularity_at_test=np.zeros(ITEMS, np.float32),
    sample_queries=np.zeros((0, 3), np.float32),
    filters=pa.array(
        [[b"even", b"third"][n % 2 : 1 + (n % 3 == 0)] for n in range(ITEMS)],
        pa.large_list(pa.large_binary()),
    ),
)


def _people(lengths):
    """Histories of these lengths, oldest first; items repeat, a third of the regions is missing."""
    items = [[IDS[i] for i in RNG.integers(0, ITEMS, n)] for n in lengths]
    times = [sorted(RNG.integers(0, NOW, n).tolist()) for n in lengths]
    return pa.table(
        {
            "user_id": [f"u{n}" for n in range(len(lengths))],
            "item_ids": pa.array(items, pa.large_list(pa.string())),
            "timestamps": pa.array(times, pa.large_list(pa.int64())),
            "user_region": pa.array([("north", "south", None)[n % 3] for n in range(len(lengths))]),
        }
    )


PEOPLE = _people([0, 1, 9, 4, 5, 3, 4, 0, 60, 2, 4, 7, 39])


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("parts")
    tf.saved_model.save(Query(), str(folder / "query"))
    tf.saved_model.save(Ranking(), str(folder / "ranking"))
    save_index(ExactIndex(VECTORS), 3, str(folder / "index"))
    return {name: tf.saved_model.load(str(folder / name)) for name in ("query", "ranking", "index")}


def _expected(person, k):
    """The planted model in numpy."""
    history = [IDS.index(item) for item in person["item_ids"]]
    weights = [0.5 ** ((NOW - moment) / 100) for moment in person["timestamps"]]
    vector = np.full(3, 0.5)
    if person["user_region"] == "north":
        vector = np.zeros(3)
    for item, weight in list(zip(history, weights, strict=True))[-READ:]:
        vector = vector + weight * VECTORS[item]
    best = np.argsort(-(VECTORS @ vector), kind="stable")
    seen = person.get("seen", person["item_ids"])
    return [IDS[i] for i in best if IDS[i] not in seen][:k]


def _recommender(parts, **options: Any):
    settings: Any = {"rank_order": False} | options
    models = RecommenderModels(parts["query"], None, parts["ranking"], DEPTH, **settings)
    return BulkRecommender(models, CANDIDATES, READ)


def test_lists_equal_those_of_the_planted_model(parts):
    result = _recommender(parts).lists(build_user_batch(PEOPLE), NOW, 10)
    for person, ids in zip(PEOPLE.to_pylist(), result, strict=True):
        assert not set(ids) & set(person["item_ids"])
        assert ids == _expected(person, 10)


def test_a_user_with_few_unseen_items_has_a_short_list(parts):
    (person,) = PEOPLE.slice(8, 1).to_pylist()
    unseen = set(IDS) - set(person["item_ids"])
    (result,) = _recommender(parts).lists(build_user_batch(PEOPLE.slice(8, 1)), NOW, 10**12)
    assert set(result) == unseen
    assert len(result) == len(unseen) < ITEMS


@pytest.mark.parametrize(
    ("repeats", "allowed"),
    [("allow", lambda history: IDS), ("only", set)],
)
def test_lists_hold_items_of_the_whole_history_where_repeats_are_listed(parts, repeats, allowed):
    """Including items of early events, which the query model does not read."""
    result = _recommender(parts, repeats=repeats).lists(build_user_batch(PEOPLE), NOW, 10)
    for person, ids in zip(PEOPLE.to_pylist(), result, strict=True):
        everything = _expected(person | {"seen": []}, ITEMS)
        assert ids == [item for item in everything if item in allowed(person["item_ids"])][:10]


@pytest.mark.parametrize("repeats", ["exclude", "allow", "only"])
@pytest.mark.parametrize("rank_order", [False, True])
@pytest.mark.parametrize(("diversity", "calibration"), [(0.0, 0.0), (0.6, 0.0), (0.2, 0.7)])
def test_a_list_equals_the_servables_answer_for_that_user(
    parts, rank_order, diversity, calibration, repeats, tmp_path
):
    options = {"rank_order": rank_order, "repeats": repeats}
    options |= {"diversity": diversity, "calibration": calibration}
    models = RecommenderModels(**parts, depth=DEPTH, **options)
    export_servables(models, CANDIDATES, str(tmp_path))
    served = load_servable("recommender", 1, tmp_path / "recommender")
    result = _recommender(parts, **options).lists(build_user_batch(PEOPLE), NOW, 5)
    listing = get_listing_inputs(parts["query"])
    declared = {name: (spec.dtype.name, tuple(spec.shape)) for name, spec in listing.items()}
    for person, ids in zip(PEOPLE.to_pylist(), result, strict=True):
        events = list(zip(person["item_ids"], person["timestamps"], strict=True))
        region = {"user_region": person["user_region"]}
        request = build_listing_request(
            declared, ListingQuery(person["user_id"], events, NOW, 5, features=region)
        )
        inputs = {name: encode_texts(values) for name, values in request.items()}
        answer = served.predict("", inputs)["item_ids"][0]
        assert ids == [item.decode() for item in answer if item]


def test_calibrated_lists_follow_the_history(parts):
    """All items of one history are even, those of the other are odd multiples of three."""
    events = [[f"i{2 * n}" for n in range(9)], ["i3", "i9", "i15", "i21"]]
    times = [[NOW] * len(items) for items in events]
    people = build_user_batch(
        pa.table(
            {
                "user_id": ["even", "third"],
                "item_ids": pa.array(events, pa.large_list(pa.string())),
                "timestamps": pa.array(times, pa.large_list(pa.int64())),
            }
        )
    )
    even, third = _recommender(parts, calibration=1.0).lists(people, NOW, ITEMS)
    assert all(int(item[1:]) % 2 == 0 for item in even[:5])
    assert all(int(item[1:]) % 3 == 0 for item in third[:5])
    for items, plain in zip(
        (even, third), _recommender(parts).lists(people, NOW, ITEMS), strict=True
    ):
        assert items[:5] != plain[:5]
        assert sorted(items) == sorted(plain)


def test_small_calls_give_the_same_lists(parts, monkeypatch):
    recommender = _recommender(parts)
    together = recommender.lists(build_user_batch(PEOPLE), NOW, 8)
    limits = ((lists, "_MAX_ROWS", 2), (lists, "_MAX_EVENTS", 1), (lists, "_MAX_SCORES", 1))
    for module, name, value in limits:
        monkeypatch.setattr(module, name, value)
        assert recommender.lists(build_user_batch(PEOPLE), NOW, 8) == together


def test_an_empty_user_batch_gives_no_lists(parts):
    no_users = build_user_batch(PEOPLE.slice(0, 0))
    assert _recommender(parts).lists(no_users, NOW, 8) == []


def encode_texts(values):
    """Texts encoded, as in a message."""
    if values.dtype != object:
        return values
    coded = [value.encode() if isinstance(value, str) else value for value in values.flat]
    return np.array(coded, object).reshape(values.shape)
