import numpy as np

from trainer.data.evaluation_queries import build_queries
from trainer.ranking.inputs import build_event_inputs, build_query_inputs


def _log(timelines_of):
    return timelines_of(
        [(b"a", 3, [1, 2, 3, 4], [10, 20, 30, 40], 2), (b"b", 0, [5, 6], [15, 45], 1)],
        context={"device": np.array([1, 2, 3, 1, 2, 3], np.int64)},
    )


def test_an_events_query_contains_the_earlier_events(timelines_of):
    vectors = np.array([[1, 2], [3, 4]])
    event_inputs = build_event_inputs(
        _log(timelines_of), np.array([3, 5]), vectors, np.array([40, 45]), 2
    )
    assert {name: values.tolist() for name, values in event_inputs.items()} == {
        "vector": [[1, 2], [3, 4]],
        "user_index": [3, 0],
        "history_index": [[2, 3], [0, 5]],
        "now": [40, 45],
        "context_device": [1, 3],
    }


def test_a_question_has_the_history_up_to_the_cut_and_no_context(timelines_of):
    queries = build_queries(_log(timelines_of), 25)
    query_inputs = build_query_inputs(queries, np.zeros((2, 2)), 3)
    assert {name: values.tolist() for name, values in query_inputs.items()} == {
        "vector": [[0, 0], [0, 0]],
        "user_index": [3, 0],
        "history_index": [[0, 1, 2], [0, 0, 5]],
        "now": [25, 25],
        "context_device": [0, 0],
    }
    assert query_inputs["vector"].dtype == np.float32
    assert query_inputs["context_device"].dtype == np.int64
