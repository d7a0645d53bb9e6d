import numpy as np

from benchmarks.train import optimizers
from trainer.config.models import RetrievalConfig


def test_popular_items_are_popular_and_all_are_of_the_catalogue():
    item_index = optimizers.draw_timelines(100).item_index
    assert item_index.min() >= 1
    assert item_index.max() <= 100
    counts = np.bincount(item_index, minlength=101)
    assert counts[1] > 3 * counts[20] > 0


def test_the_batches_in_memory_repeat():
    config = RetrievalConfig(positions_per_batch=40, uniform_negatives=5)
    memory = optimizers.load_batches(optimizers.draw_timelines(30), 30, config, 3)
    batches = [batch["item_index"].numpy() for batch in memory.take(7)]
    assert all(items.shape == (2, optimizers.LENGTH) for items in batches)
    for first, again in zip(batches, batches[3:], strict=False):
        np.testing.assert_array_equal(first, again)
    assert (batches[0] != batches[1]).any()
    (drawn,) = [batch["negatives"].numpy() for batch in memory.take(1)]
    assert drawn.shape == (5,)
    assert drawn.min() >= 1
    assert drawn.max() <= 30
