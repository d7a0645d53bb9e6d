import pytest

from trainer.ranking.training import choose_batch_size


@pytest.mark.parametrize(
    ("events", "most", "size"),
    [(100_000, 1024, 1024), (16_000, 1024, 500), (100, 1024, 64), (0, 1024, 64), (100, 32, 32)],
)
def test_few_events_are_in_smaller_batches(events, most, size):
    """An epoch has 32 batches, except where they would be smaller than 64 or larger than `most`."""
    assert choose_batch_size(events, most) == size
