"""The data that training needs, on planted splits; item 0 is an item outside the catalogue."""

import dataclasses
from typing import Any

import pytest

from schema.dataset import Dataset
from schema.errors import DataRefused
from trainer.data.sufficient_data import require_ranking_examples, require_sufficient_data
from trainer.data.training_data import TrainingData

NOTHING: Any = None
SOURCES = {"interactions": {"path": "e"}, "items": {"path": "i"}}
LABELS = {"positive": {"column": "stars", "at_least": 4}}


@pytest.fixture
def data(timelines_of):
    """User a interacts with item 1, then 2 and 4, then 3."""
    return TrainingData(
        dataset=Dataset.model_validate({"data": SOURCES, "labels": LABELS}),
        items_graph=NOTHING,
        timelines_graph=NOTHING,
        catalogue=NOTHING,
        train=timelines_of([(b"a", 1, [1], [0], 0)]),
        valid=timelines_of([(b"a", 1, [1, 2, 4], [0, 10, 20], 1)]),
        test=timelines_of([(b"a", 1, [1, 2, 4, 3], [0, 10, 20, 30], 3)]),
    )


def test_one_user_with_a_new_item_each_time_is_enough(data):
    require_sufficient_data(data)


def test_a_train_split_of_unknown_items_is_refused(data, timelines_of):
    train = timelines_of([(b"a", 1, [0, 0], [0, 1], 0)])
    with pytest.raises(
        DataRefused, match=r"train .* received none: 2 events, 2 of them positive, 0"
    ):
        require_sufficient_data(dataclasses.replace(data, train=train))


def test_a_train_split_without_a_positive_event_names_the_label(data, timelines_of):
    train = timelines_of([(b"a", 1, [1, 2], [0, 1], 0)], positive=[False, False])
    with pytest.raises(DataRefused, match=r"2 events, 0 of them positive.*labels.positive.*stars"):
        require_sufficient_data(dataclasses.replace(data, train=train))


@pytest.mark.parametrize("name", ["valid", "test"])
def test_a_split_of_repeats_is_refused(data, timelines_of, name):
    repeats = timelines_of([(b"a", 1, [1, 1], [0, 10], 1), (b"b", 2, [0], [10], 0)])
    message = rf"expected a user of {name} .* 2 events, 2 of them positive, 1 of these on items"
    with pytest.raises(DataRefused, match=message):
        require_sufficient_data(dataclasses.replace(data, **{name: repeats}))


def test_one_event_of_valid_has_no_second_half(data, timelines_of):
    valid = timelines_of([(b"a", 1, [1, 2], [0, 10], 1)])
    with pytest.raises(DataRefused, match=r"both halves .* received 1 and 0: 1 events"):
        require_sufficient_data(dataclasses.replace(data, valid=valid))


def test_a_half_of_repeats_is_refused(data, timelines_of):
    valid = timelines_of([(b"a", 1, [1, 2, 2], [0, 10, 20], 1)])
    with pytest.raises(DataRefused, match="received 1 and 0: 2 events"):
        require_sufficient_data(dataclasses.replace(data, valid=valid))


def test_items_that_retrieval_misses_are_not_ranked():
    require_ranking_examples(1, 5, "first")
    with pytest.raises(DataRefused, match="first half of valid .* among the 5 that"):
        require_ranking_examples(0, 5, "first")


@pytest.mark.parametrize("repeats", ["allow", "only"])
def test_a_log_of_repeats_is_enough_if_they_are_recommended(data, timelines_of, repeats):
    dataset = data.dataset.replace_values(recommend={"repeats": repeats})
    later = timelines_of([(b"a", 1, [1, 1, 1, 1], [0, 10, 20, 30], 1)])
    require_sufficient_data(dataclasses.replace(data, dataset=dataset, valid=later, test=later))
    with pytest.raises(DataRefused, match="that is new to that user"):
        require_sufficient_data(dataclasses.replace(data, valid=later, test=later))


def test_a_split_without_repeats_is_refused_if_only_repeats_are_recommended(data):
    dataset = data.dataset.replace_values(recommend={"repeats": "only"})
    with pytest.raises(DataRefused, match="valid .* that is in that user's history"):
        require_sufficient_data(dataclasses.replace(data, dataset=dataset))
