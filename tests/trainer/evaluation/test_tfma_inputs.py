"""Rows for TFMA from planted lists and events."""

import dataclasses

import numpy as np
import pytest

from trainer.data.catalogue import Catalogue
from trainer.data.evaluation_queries import build_queries
from trainer.data.training_data import TrainingData
from trainer.evaluation.tfma_inputs import (
    HeadRows,
    QueryRows,
    _build_label_rows,
    _slice_test_events,
    build_list_rows,
    compare_to_average,
    describe_rows,
    sample_positions,
)

CUT = 1_000
NAN = np.nan


@pytest.fixture(scope="module")
def data(planted, timelines_of):
    """Two users: 0, of the north, has consumed item 1 and then consumes 2 by phone and 1 by web; 1,
    of an unknown region, is new and consumes 3.
    """
    test = timelines_of(
        [(b"0", 1, [1, 2, 1], [5, CUT, CUT + 1], 1), (b"1", 0, [3], [CUT + 2], 0)],
        labels={"rating": [2.0, 4.0, NAN, 5.0]},
        context={"device": np.array([0, 1, 2, 0])},
        users={"region": np.array([1, 0])},
    )
    return TrainingData(
        dataset=planted.dataset,
        items_graph=planted.items_graph,
        timelines_graph=planted.timelines_graph,
        catalogue=Catalogue(
            item_ids=np.array([b"", b"a", b"b", b"c"], object),
            titles=np.array([b"", b"a", b"b", b"c"], object),
            features={
                "genres": np.array([[0, 0], [1, 2], [1, 0], [0, 0]]),  # crime drama, crime, none
                "studio": np.array([0, 1, 1, 0]),
            },
        ),
        train=timelines_of([(b"0", 1, [1, 2], [5, 6], 0)], labels={"rating": [2.0, 3.0]}),
        valid=timelines_of([(b"0", 1, [1], [7], 0)], labels={"rating": [NAN]}),
        test=test,
    )


def slices(result):
    return {
        feature: {
            part.name: part.chosen.astype(int).tolist() for part in columns if part.chosen.any()
        }
        for feature, columns in result.items()
    }


@pytest.fixture(scope="module")
def relevance(data):
    """User 0 gets 2 and 3, of which 2 is relevant; the new user gets 1, 2 and the relevant 3."""
    queries = build_queries(data.test, CUT)
    lists = np.array([[2, 3, 0], [1, 2, 3]])
    hit = np.array([[True, False, False], [False, False, True]])
    scores = np.log(np.array([[3.0, 1.0, 9.0], [1.0, 4.0, 1.0]]))
    return build_list_rows(data, queries, lists, hit, scores)


def test_each_candidate_is_a_row_and_an_empty_position_is_not(relevance):
    assert relevance.label.tolist() == [1, 0, 0, 0, 1]
    assert relevance.queries.query.tolist() == [0, 0, 1, 1, 1]
    assert relevance.kind == "relevance"


def test_a_candidate_is_compared_with_the_average_of_its_list(relevance):
    """Likelihoods 3 and 1, on average 2; 1, 4 and 1, on average 2."""
    expected = [3 / 5, 1 / 3, 1 / 3, 4 / 6, 1 / 3]
    assert relevance.prediction.tolist() == pytest.approx(expected)


def test_huge_logits_are_still_probabilities():
    to_average = compare_to_average(np.array([[5_000.0, -5_000.0]]), np.array([[True, True]]))
    assert to_average[0].tolist() == pytest.approx([2 / 3, 0])


def test_rows_are_sliced_by_user_and_item(relevance):
    assert slices(relevance.queries.slices) == {
        "history": {"new users": [0, 1], "warm users": [1, 0]},
        "user_region": {"north": [1, 0], "no known value": [0, 1]},
    }
    assert slices(relevance.slices) == {
        "history": {"new users": [0, 0, 1, 1, 1], "warm users": [1, 1, 0, 0, 0]},
        "user_region": {"north": [1, 1, 0, 0, 0], "no known value": [0, 0, 1, 1, 1]},
        "item_genres": {
            "crime": [1, 0, 1, 1, 0],
            "drama": [0, 0, 1, 0, 0],
            "no known value": [0, 1, 0, 0, 1],
        },
        "item_studio": {"x": [1, 0, 1, 1, 0], "no known value": [0, 1, 0, 0, 1]},
    }


def test_events_are_sliced_by_context_too(data):
    """Positions 1 to 3: item 2 by phone, item 1 by web, item 3 by an unknown device."""
    result = slices(_slice_test_events(data, np.array([1, 2, 3])))
    assert result["context_device"] == {
        "phone": [1, 0, 0],
        "web": [0, 1, 0],
        "no known value": [0, 0, 1],
    }
    assert result["history"] == {"new users": [0, 0, 1], "warm users": [1, 1, 0]}
    assert result["user_region"] == {"north": [1, 1, 0], "no known value": [0, 0, 1]}
    assert result["item_genres"]["drama"] == [0, 1, 0]


def label_rows(data, values):
    predicted = {"rating": np.array([3.0, 2.0, 1.0], np.float32)}
    sliced = _slice_test_events(data, np.array([1, 2, 3]))
    return _build_label_rows(data, "rating", np.array(values), predicted, sliced)


def test_events_without_the_label_are_no_rows(data):
    result = label_rows(data, [4.0, NAN, 5.0])
    assert isinstance(result, HeadRows)
    assert result.label.tolist() == [4, 5]
    assert result.prediction.tolist() == [3, 1]
    assert slices(result.slices)["history"] == {"new users": [0, 1], "warm users": [1, 0]}


def test_a_label_without_values_in_the_latest_events_is_noted(data):
    reason = label_rows(data, [NAN, NAN, NAN])
    assert reason == "none of the latest 3 events of test with a label has a value of rating"


def test_a_label_that_never_varied_has_a_note_and_no_rows(data, timelines_of):
    same = timelines_of([(b"0", 1, [1, 2], [5, 6], 0)], labels={"rating": [2.0, 2.0]})
    reason = label_rows(dataclasses.replace(data, train=same), [4.0, NAN, 5.0])
    assert reason == "rating is 2 in all 2 events of train: nothing to learn"


def test_a_sample_is_drawn_without_repeats_and_always_the_same():
    positions = np.arange(0, 100, 2)
    drawn = sample_positions(positions, 10)
    assert len(set(drawn)) == 10
    assert set(drawn) <= set(positions)
    assert drawn.tolist() == sample_positions(positions, 10).tolist() == sorted(drawn)
    assert sample_positions(positions, 50).tolist() == positions.tolist()


def test_a_measured_gap_is_described_in_numbers():
    queries = QueryRows(np.array([0, 0, 1]), {})
    rows = HeadRows("relevance", np.array([1, 0, 1]), np.array([0.5, 0.2, 0.1]), {}, queries)
    assert describe_rows(rows) == {
        "kind": "relevance",
        "rows": 3,
        "questions": 2,
    }
    assert describe_rows("no rating") == {"note": "no rating"}
