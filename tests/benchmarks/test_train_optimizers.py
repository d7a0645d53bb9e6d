import numpy as np

from benchmarks import train_optimizers
from trainer.config.models import RetrievalConfig


def test_popular_items_are_popular_and_all_are_of_the_catalogue():
    taken = train_optimizers.planted(100).item_index
    assert taken.min() >= 1
    assert taken.max() <= 100
    counts = np.bincount(taken, minlength=101)
    assert counts[1] > 3 * counts[20] > 0


def test_the_batches_in_memory_come_again():
    config = RetrievalConfig(positions_per_batch=40, uniform_negatives=5)
    memory = train_optimizers.in_memory(train_optimizers.planted(30), 30, config, 3)
    seen = [batch["item_index"].numpy() for batch in memory.take(7)]
    assert all(items.shape == (2, train_optimizers.LENGTH) for items in seen)
    for first, again in zip(seen, seen[3:], strict=False):
        np.testing.assert_array_equal(first, again)
    assert (seen[0] != seen[1]).any()
    (drawn,) = [batch["negatives"].numpy() for batch in memory.take(1)]
    assert drawn.shape == (5,)
    assert drawn.min() >= 1
    assert drawn.max() <= 30
