import pytest

from components.validation import feature_statistics as of


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


def test_each_event_is_counted_in_its_own_split_alone(statistics):
    assert of.counts(of.by_name(statistics["train"])["item_ids"]) == {"a": 3, "b": 1}
    assert of.counts(of.by_name(statistics["valid"])["item_ids"]) == {"c": 2}
    assert of.by_name(statistics["valid"])["label_rating"].num_stats.min == 5
    assert of.shares(of.by_name(statistics["train"])["item_ids"]) == {"a": 0.75, "b": 0.25}


def test_a_user_without_a_value_lacks_it(statistics):
    assert of.present_fraction(of.by_name(statistics["train"])["user_region"]) == 0.5


def test_every_split_has_its_statistics_even_an_empty_one(statistics):
    assert [of.examples(statistics[split]) for split in ("train", "valid", "test")] == [2, 1, 0]
    assert of.by_name(statistics["test"]) == {}
