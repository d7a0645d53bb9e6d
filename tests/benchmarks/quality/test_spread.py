"""Mean, minimum, maximum and standard deviation over seeds, by hand."""

import pytest

from benchmarks.quality import spread


def test_over_seeds():
    seeds = [{"recall@10": 0.25, "ndcg@10": 0.5}, {"recall@10": 0.75, "ndcg@10": 0.5}]
    assert spread.summarise(seeds) == {
        "recall@10": {"mean": 0.5, "min": 0.25, "max": 0.75, "deviation": 0.125**0.5},
        "ndcg@10": {"mean": 0.5, "min": 0.5, "max": 0.5, "deviation": 0.0},
    }


def test_a_metric_that_one_seed_lacks_is_no_mean_of_the_others():
    with pytest.raises(KeyError):
        spread.summarise([{"recall@10": 0.25, "ndcg@10": 0.5}, {"recall@10": 0.75}])


def test_no_seed_is_an_error():
    with pytest.raises(ValueError, match="at least one seed"):
        spread.summarise([])
