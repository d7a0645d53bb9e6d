"""What ranking learns from transitions: a planted log where item 2i - 1 is always followed by item
2i, and neither retrieval nor popularity tells.
"""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel
from tensorflow.python.framework import op_def_registry

from schema.labels import RankingLabel
from trainer.config.models import RankingConfig
from trainer.data.transition_table import NO_ITEM, TransitionTable
from trainer.ranking.bias_baseline import BiasBaseline
from trainer.ranking.examples import RankingExamples
from trainer.ranking.export import RankingModule, save_ranking_model
from trainer.ranking.model import RankingModel
from trainer.ranking.network import RankingItems, RankingNetwork
from trainer.ranking.training import fit_ranking
from trainer.training.context import TrainingContext

ITEMS = 400
DIM = 2
LABELS = {"liked": RankingLabel(column="liked", kind="binary", at_least=1.0)}
BASELINES = {"liked": BiasBaseline(0.5, 0.5, np.zeros(ITEMS + 1), np.zeros(2))}
CONFIG = RankingConfig(epochs=8, batch_size=64, learning_rate=0.01, id_dim=2, hidden_units=[8])
VECTORS = np.vstack([np.zeros(DIM), np.ones((ITEMS, DIM))]).astype(np.float32)


def table_of(pairs):
    """Transitions between the pairs of items, of several strengths; 32 places per item."""
    items = np.full((ITEMS + 1, 32), NO_ITEM, np.int32)
    strengths = np.zeros((ITEMS + 1, 32), np.float32)
    for first, second in pairs:
        items[first, 0], strengths[first, 0] = second, 0.1 * (1 + first % 7)
    return TransitionTable(items, strengths)


def items_with(pairs):
    return RankingItems(VECTORS, np.ones(ITEMS + 1, bool), table_of(pairs))


SUCCESSORS = [(item, item + 1) for item in range(1, ITEMS, 2)]


def build_examples(firsts, rng) -> RankingExamples:
    """Events of item 2i after [.., 2i - 1], with 12 other items; liked by chance."""
    size = len(firsts)
    history = np.column_stack([rng.integers(0, 2, size) * 2 * rng.integers(1, 9, size), firsts])
    others = rng.integers(1, ITEMS // 2, (size, 12)) * 2
    others[others == firsts[:, np.newaxis] + 1] = ITEMS
    return RankingExamples(
        query={
            "vector": np.zeros((size, DIM + 1), np.float32),
            "user_index": np.zeros(size, np.int32),
            "history_index": history.astype(np.int32),
            "now": np.zeros(size, np.int64),
        },
        candidates=np.column_stack([firsts + 1, others]).astype(np.int32),
        log_popularity=np.zeros((size, 13), np.float32),
        labels={"liked": rng.integers(0, 2, size).astype(np.float32)},
        event=np.arange(size),
    )


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """Trained on the successors of the items up to 300; the other pairs are never seen."""
    tf.keras.utils.set_random_seed(4)
    rng = np.random.default_rng(4)
    learned = build_examples(rng.permutation(np.repeat(np.arange(1, 281, 2), 8)), rng)
    held_out = build_examples(np.arange(281, 300, 2), rng)
    network = RankingNetwork(items_with(SUCCESSORS), 1, [], LABELS, BASELINES, CONFIG)
    network.adapt({name: tf.constant(values) for name, values in learned.inputs().items()})
    folder, nothing = str(tmp_path_factory.mktemp("training")), None
    data: Any = nothing
    context = TrainingContext(data, CONFIG, 4, f"{folder}/log", f"{folder}/checkpoints")
    fit_ranking(RankingModel(network, LABELS, BASELINES), [learned], held_out, context)
    return network


@pytest.fixture
def planted(network):
    """The network with the planted table, whatever a test makes of it."""
    network.replace_items(items_with(SUCCESSORS))
    yield network
    network.replace_items(items_with(SUCCESSORS))


def build_inputs(firsts):
    """Queries after each item, with its successor as the last of the candidates."""
    examples = build_examples(np.array(firsts), np.random.default_rng(5))
    inputs = {name: tf.constant(values) for name, values in examples.inputs().items()}
    return inputs | {"candidates": inputs["candidates"][:, ::-1]}


UNSEEN = build_inputs(range(301, ITEMS, 2))
LAST = 12


def test_the_successor_of_an_item_is_first_even_where_it_was_never_seen(planted):
    best = np.argmax(planted(UNSEEN)["relevance"], axis=1)
    assert (best == LAST).mean() > 0.95


def test_the_fitted_start_puts_the_successor_first_before_training():
    rng = np.random.default_rng(6)
    learned = build_examples(rng.permutation(np.repeat(np.arange(1, 281, 2), 8)), rng)
    network = RankingNetwork(items_with(SUCCESSORS), 1, [], LABELS, BASELINES, CONFIG)
    assert (np.argmax(network(UNSEEN)["relevance"], axis=1) == LAST).mean() < 0.3
    inputs = {name: tf.constant(values) for name, values in learned.inputs().items()}
    network.fit_start(inputs, None)
    assert (np.argmax(network(UNSEEN)["relevance"], axis=1) == LAST).mean() > 0.95


def test_without_transitions_nothing_distinguishes_the_successor(planted):
    planted.replace_items(items_with([]))
    best = np.argmax(planted(UNSEEN)["relevance"], axis=1)
    assert (best == LAST).mean() < 0.3


def test_other_transitions_give_another_order(planted):
    """The transitions of train and valid, as it were: now the first candidate follows."""
    latest, first = UNSEEN["history_index"][:, -1].numpy(), UNSEEN["candidates"][:, 0].numpy()
    pairs = zip(latest, first, strict=True)
    planted.replace_items(items_with(pairs))
    best = np.argmax(planted(UNSEEN)["relevance"], axis=1)
    assert (best == 0).mean() > 0.95


def test_labels_do_not_depend_on_transitions(planted):
    before = planted(UNSEEN)
    planted.replace_items(items_with([]))
    after = planted(UNSEEN)
    np.testing.assert_array_equal(after["liked"], before["liked"])
    assert np.abs(after["relevance"] - before["relevance"]).max() > 1


def test_a_query_has_the_same_order_alone_and_in_a_batch(planted):
    together = planted(UNSEEN)["relevance"]
    for row in (0, 7, 20):
        alone = planted({name: values[row : row + 1] for name, values in UNSEEN.items()})
        np.testing.assert_allclose(alone["relevance"][0], together[row], rtol=1e-5, atol=1e-5)


def test_the_saved_model_has_the_table_as_variables_and_stock_ops_only(planted, tmp_path):
    module = RankingModule(planted, LABELS, {}, {n: v.numpy() for n, v in UNSEEN.items()})
    save_ranking_model(module, str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))
    scores = loaded.score(UNSEEN)["relevance"]
    np.testing.assert_allclose(scores, planted(UNSEEN)["relevance"], rtol=1e-5, atol=1e-5)
    saved = SavedModel.FromString((tmp_path / "saved_model.pb").read_bytes())
    library = saved.meta_graphs[0].graph_def.library
    functions = {function.signature.name for function in library.function}
    nodes = [node for function in library.function for node in function.node_def]
    assert not [op for op in {n.op for n in nodes} - functions if op_def_registry.get(op) is None]
    constants = [node.attr["value"].tensor.tensor_shape for node in nodes if node.op == "Const"]
    largest = max(np.prod([axis.size for axis in shape.dim]) for shape in constants)
    assert largest <= ITEMS + 1  # a constant per item is that of `learned`


def test_an_item_added_later_is_scored_as_one_without_transitions(planted, tmp_path):
    """Item 401, of the same vector as all, is a candidate and the only item of the history."""
    module = RankingModule(planted, LABELS, {}, {n: v.numpy() for n, v in UNSEEN.items()})
    save_ranking_model(module, str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))
    loaded.item_vectors.assign(np.vstack([VECTORS, np.ones((1, DIM), np.float32)]))
    size = len(UNSEEN["now"])
    history = tf.fill([size, 1], ITEMS + 1)
    candidates = tf.concat([UNSEEN["candidates"][:, :-1], tf.fill([size, 1], ITEMS + 1)], 1)
    both = loaded.score(UNSEEN | {"history_index": history, "candidates": candidates})
    planted.replace_items(items_with([]))
    expected = planted(UNSEEN | {"history_index": tf.ones([size, 1], tf.int32)})["relevance"]
    np.testing.assert_allclose(both["relevance"][:, :-1], expected[:, :-1], atol=1e-4)
    assert np.isfinite(both["relevance"][:, -1]).all()
