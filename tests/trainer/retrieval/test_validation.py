import numpy as np
import pytest

from trainer.config.models import RetrievalConfig
from trainer.data.evaluation_queries import build_queries
from trainer.data.popularity import build_clock
from trainer.retrieval.validation import draw_sample, measure_baselines

CONFIG = RetrievalConfig(popularity_days=1000, history_length=4)
ITEMS = 4


@pytest.fixture
def sample(timelines_of):
    """Two users, asked at 100: the one of items 1, 2, 3 takes 4, the one of item 1 takes 2."""
    split = timelines_of(
        [(b"long", 1, [1, 2, 3, 4], [10, 20, 30, 110], 3), (b"short", 2, [1, 2], [40, 120], 1)]
    )
    history = timelines_of([(b"long", 1, [1, 2, 3], [10, 20, 30], 0), (b"short", 2, [1], [40], 0)])
    clock = build_clock([history], ITEMS + 1)
    drawn = draw_sample(build_queries(split, 100), clock, ITEMS, CONFIG, 1)
    return drawn, clock


def test_users_of_like_history_are_neighbours_and_keep_their_answers(sample):
    drawn, _ = sample
    assert [relevant.tolist() for relevant in drawn.queries.relevant] == [[2], [4]]
    assert [interacted.tolist() for interacted in drawn.queries.interacted] == [[1], [1, 2, 3]]
    # the last position asks and has no item
    assert drawn.batches[0]["item_index"].tolist() == [[1, 0, 0, 0], [1, 2, 3, 0]]


@pytest.mark.parametrize(
    ("weight", "rank"),
    # by taste item 4 is before 3 before 2; item 1 is known. log(1 + count): 2 and 3 were taken
    # once and 4 never, so weight 10 puts 2 and 3 (.69 each) first, 3 by taste before 2
    [(0.0, 3), (10.0, 2)],
)
def test_metrics_are_those_of_taste_and_weighed_popularity(sample, weight, rank):
    drawn, _ = sample
    vectors = np.array([[0.0], [9.0], [0.1], [0.2], [0.3]], np.float32)
    measurements = drawn.measure(np.ones((2, 1), np.float32), vectors, weight)
    # the user of the long history has one unseen item, which is the answer
    expected = (1 / np.log2(rank + 1) + 1) / 2
    assert measurements == pytest.approx({"recall@10": 1.0, "ndcg@10": expected})


def test_baselines_rank_by_counts(sample):
    drawn, clock = sample
    baselines = measure_baselines(drawn, clock, 1000)
    # of 2 and 3, taken once each, the lower index stands first
    assert baselines["popular"] == pytest.approx({"recall@10": 1.0, "ndcg@10": 1.0})
    assert set(baselines) == {"popular", "recent"}
