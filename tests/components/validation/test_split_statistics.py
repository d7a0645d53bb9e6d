import pytest

from components.validation.feature_statistics import (
    compute_present_fraction,
    compute_shares,
    count_examples,
    count_values,
    index_features,
)


@pytest.fixture(scope="module")
def statistics(describe):
    timelines = {
        "train": {
            "user_id": ["u", "v"],
            "target_from": [0, 0],
            "item_ids": [["a", "a", "b"], ["a"]],
            "label_rating": [[1.0, 2.0, 3.0], [4.0]],
            "user_region": ["north", None],
        },
        "valid": {
            "user_id": ["u"],
            "target_from": [3],
            "item_ids": [["a", "a", "b", "c", "c"]],
            "label_rating": [[1.0, 2.0, 3.0, 5.0, 5.0]],
            "user_region": ["north"],
        },
        "test": {},
    }
    return describe(timelines)[0]


def test_each_event_is_counted_only_in_its_own_split(statistics):
    assert count_values(index_features(statistics["train"])["item_ids"]) == {"a": 3, "b": 1}
    assert count_values(index_features(statistics["valid"])["item_ids"]) == {"c": 2}
    assert index_features(statistics["valid"])["label_rating"].num_stats.min == 5
    assert compute_shares(index_features(statistics["train"])["item_ids"]) == {"a": 0.75, "b": 0.25}


def test_a_user_without_a_value_counts_as_missing(statistics):
    assert compute_present_fraction(index_features(statistics["train"])["user_region"]) == 0.5


def test_every_split_has_statistics_even_if_it_is_empty(statistics):
    assert [count_examples(statistics[split]) for split in ("train", "valid", "test")] == [2, 1, 0]
    assert index_features(statistics["test"]) == {}
