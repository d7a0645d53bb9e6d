import numpy as np
import pytest
import tensorflow as tf

from benchmarks.train import stock
from trainer.config.models import RetrievalConfig
from trainer.data.catalogue import Catalogue
from trainer.data.timelines import Timelines
from trainer.data.windows import cut_windows, pad_windows
from trainer.layers.features import FeatureSpec
from trainer.retrieval.towers import CandidateTower, QueryTower

ITEMS = 9
# Two users; the second one's first event is history, the third is not positive, and the last is of
# an item outside the catalogue.
TIMELINES = Timelines(
    user_ids=np.array([b"u", b"v"], object),
    user_index=np.array([1, 2], np.int32),
    row_splits=np.array([0, 4, 8]),
    target_from=np.array([0, 1]),
    item_index=np.array([3, 1, 4, 2, 5, 9, 6, 0], np.int32),
    timestamps=np.array([10, 7_200, 7_300, 90_000, 5, 50_000, 50_010, 50_020]),
    positive=np.array([True, True, True, True, True, True, False, True]),
    labels={},
    context={
        "device": np.array([1, 2, 1, 1, 2, 2, 1, 1]),
        "basket": np.array([0.5, -1.0, 0.0, 2.0, 1.0, 1.5, 0.0, 0.0], np.float32),
    },
    users={"taste": np.array([[1.0, 0.0], [0.25, 0.5]], np.float32)},
)
LEARNED = [0, 1, 2, 3, 5]


def _ints(example: tf.train.Example, name: str) -> list[int]:
    return list(example.features.feature[name].int64_list.value)


def test_one_example_per_event_with_a_copy_of_its_history():
    made = list(stock.examples(TIMELINES, np.array([0, 3, 5]), 3))
    assert [_ints(example, "history_items") for example in made] == [[], [1, 4], [5]]
    assert [_ints(example, "history_timestamps") for example in made] == [[], [7_200, 7_300], [5]]
    assert [_ints(example, "item") for example in made] == [[3], [2], [9]]
    assert [_ints(example, "timestamp") for example in made] == [[10], [90_000], [50_000]]
    assert [_ints(example, "user_index") for example in made] == [[1], [1], [2]]
    assert [_ints(example, "context_device") for example in made] == [[1], [1], [2]]
    baskets = [e.features.feature["context_basket"].float_list.value[0] for e in made]
    assert baskets == [0.5, 2.0, 1.5]
    assert list(made[2].features.feature["user_taste"].float_list.value) == [0.25, 0.5]


def _file(folder, most=100):
    path = folder / "stock.tfrecord"
    return path, stock.write(path, TIMELINES, 4, most, np.random.default_rng(0))


def test_the_file_has_at_most_the_requested_positives(tmp_path):
    path, count = _file(tmp_path)
    assert count == len(LEARNED)
    batch = next(iter(stock.batches(path, TIMELINES, len(LEARNED))))
    assert sorted(batch["item_index"][:, -1].numpy()) == [1, 2, 3, 4, 9]
    assert _file(tmp_path, most=2)[1] == 2


def test_a_batch_is_padded_between_history_and_event(tmp_path):
    path, _ = _file(tmp_path)
    batch = next(iter(stock.batches(path, TIMELINES, len(LEARNED))))
    order = np.argsort(batch["item_index"][:, -1])
    items = batch["item_index"].numpy()[order]
    assert items.tolist() == [[3, 0, 0, 1], [3, 1, 4, 2], [0, 0, 0, 3], [3, 1, 0, 4], [5, 0, 0, 9]]
    assert batch["timestamps"].numpy()[order][4].tolist() == [5, 0, 0, 50_000]
    assert batch["context_device"].numpy()[order][0].tolist() == [2, 2, 2, 2]
    assert batch["user_taste"].numpy()[order][4].tolist() == [0.25, 0.5]
    assert batch["user_index"].numpy()[order].tolist() == [1, 1, 1, 1, 2]


def _towers(config: RetrievalConfig) -> tuple[QueryTower, CandidateTower]:
    tf.keras.utils.set_random_seed(3)
    context = [FeatureSpec("device", "category", 2), FeatureSpec("basket", "number", 1)]
    query = QueryTower(2, [FeatureSpec("taste", "vector", 2)], context, config)
    ids = np.full(ITEMS + 1, b"", object)
    return query, CandidateTower(Catalogue(ids, ids, {}), [], np.arange(ITEMS + 1) > 0, config)


@pytest.mark.parametrize("history", ["attention", "mean"])
def test_both_ways_compute_the_same_queries(tmp_path, history):
    """From a timeline in one pass, and from one Example per event with a copy of its history."""
    config = RetrievalConfig(embedding_dim=8, history_length=4, history=history)
    query, candidate = _towers(config)
    whole = pad_windows(TIMELINES, cut_windows(TIMELINES, 4), np.arange(2))
    batch = {name: tf.constant(values) for name, values in whole.items()}
    in_one_pass = query(batch, candidate(batch["item_index"]))
    expected = dict(zip(whole["event"].ravel(), in_one_pass.numpy().reshape(-1, 8), strict=True))

    path, _ = _file(tmp_path)
    copied = next(iter(stock.batches(path, TIMELINES, len(LEARNED))))
    model = stock.StockModel(query, candidate, config.temperature)
    queries, consumed = model.encode(copied, training=False)
    for vector, item, actual in zip(queries, copied["item_index"][:, -1], consumed, strict=True):
        event = int(np.flatnonzero(TIMELINES.item_index == int(item))[0])
        np.testing.assert_allclose(vector, expected[event], rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(actual, candidate(item[tf.newaxis])[0], rtol=1e-5)


def test_the_stock_way_learns(tmp_path):
    config = RetrievalConfig(embedding_dim=8, history_length=4, dropout=0.0, id_dropout=0.0)
    path, _ = _file(tmp_path)
    batches = stock.batches(path, TIMELINES, len(LEARNED))
    model = stock.StockModel(*_towers(config), config.temperature)
    model.compile(optimizer=stock.optimizer())
    losses = model.fit(batches, steps_per_epoch=20, epochs=2, verbose=0).history["loss"]
    assert losses[1] < 0.5 * losses[0]
