import numpy as np
import pytest

from trainer.config.models import RetrievalConfig
from trainer.data.evaluation_queries import build_queries
from trainer.data.popularity import build_clock
from trainer.data.popularity_forecast import ItemPopularity, create_window_forecast
from trainer.retrieval.validation import draw_sample, measure_baselines

CONFIG = RetrievalConfig(history_length=4)
ITEMS = 4


@pytest.fixture
def sample(timelines_of):
    """Two users with queries at 100: the one with items 1, 2, 3 consumes 4, the one with item 1
    consumes 2.
    """
    split = timelines_of(
        [(b"long", 1, [1, 2, 3, 4], [10, 20, 30, 110], 3), (b"short", 2, [1, 2], [40, 120], 1)]
    )
    history = timelines_of([(b"long", 1, [1, 2, 3], [10, 20, 30], 0), (b"short", 2, [1], [40], 0)])
    clock = build_clock([history], ITEMS + 1)
    popularity = ItemPopularity(clock, create_window_forecast(1000, 0))
    drawn = draw_sample(build_queries(split, 100), popularity, ITEMS, CONFIG, 1)
    return drawn, clock


def test_users_with_similar_histories_are_neighbours(sample):
    drawn, _ = sample
    assert [relevant.tolist() for relevant in drawn.queries.relevant] == [[2], [4]]
    assert [interacted.tolist() for interacted in drawn.queries.interacted] == [[1], [1, 2, 3]]
    # the last position is the query and has no item
    assert drawn.batches[0]["item_index"].tolist() == [[1, 0, 0, 0], [1, 2, 3, 0]]


@pytest.mark.parametrize(
    ("weight", "rank"),
    # by taste item 4 is before 3 before 2; item 1 is in the history. 2 and 3 have one
    # event each and 4 none, so weight 10 puts 2 and 3 first, 3 by taste before 2
    [(0.0, 3), (10.0, 2)],
)
def test_metrics_are_those_of_taste_and_weighed_popularity(sample, weight, rank):
    drawn, _ = sample
    vectors = np.array([[0.0], [9.0], [0.1], [0.2], [0.3]], np.float32)
    metrics = drawn.measure(np.ones((2, 1), np.float32), vectors, weight)
    # the user with the long history, who is last, has one unseen item, the relevant one
    assert metrics["ndcg@10"] == pytest.approx([1 / np.log2(rank + 1), 1.0])
    assert metrics["recall@10"] == pytest.approx([1.0, 1.0])


def test_baselines_rank_by_counts(sample):
    drawn, clock = sample
    baselines = measure_baselines(drawn, clock, 1000)
    # 2 and 3 have one event each, so the lower index is first
    assert baselines["popular"] == pytest.approx({"recall@10": 1.0, "ndcg@10": 1.0})
    assert set(baselines) == {"popular", "recent"}
