import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from components.validation.split_statistics import prepare_batch


def batch(**columns) -> pa.RecordBatch:
    arrays = [pa.array(values, pa.large_list(kind)) for values, kind in columns.values()]
    return pa.RecordBatch.from_arrays(arrays, list(columns))


def test_history_is_not_counted():
    result = prepare_batch(
        batch(
            target_from=([[0], [2], [1]], pa.int64()),
            item_ids=([["a", "b"], ["c", "d", "e"], ["f", "g"]], pa.large_string()),
            label_rating=([[1, 2], [3, 4, 5], [6, 7]], pa.float32()),
            context_device=([["p", ""], ["q", "r", "s"], ["t", "u"]], pa.large_string()),
            user_tags=([["x", "y"], ["z"], ["x", "y", "z"]], pa.large_string()),
        )
    ).to_pydict()
    assert result == {
        "target_from": [[0], [2], [1]],
        "item_ids": [["a", "b"], ["e"], ["g"]],
        "label_rating": [[1, 2], [5], [7]],
        "context_device": [["p", ""], ["s"], ["u"]],
        "user_tags": [["x", "y"], ["z"], ["x", "y", "z"]],
    }


def test_an_empty_list_is_a_missing_value():
    result = prepare_batch(
        batch(
            item_id=([["a"], ["b"], ["c"]], pa.large_string()),
            item_tags=([["x"], [], None], pa.large_string()),
        )
    )
    assert result.to_pydict() == {
        "item_id": [["a"], ["b"], ["c"]],
        "item_tags": [["x"], None, None],
    }
    assert result.column(1).null_count == 2


def test_a_feature_that_no_example_has_stays_missing():
    nothing = pa.nulls(2)
    ids = pa.array([["a"], ["b"]])
    result = prepare_batch(pa.RecordBatch.from_arrays([ids, nothing], ["item_id", "item_tags"]))
    assert result.to_pydict() == {"item_id": [["a"], ["b"]], "item_tags": [None, None]}


rows = st.lists(
    st.lists(st.integers(0, 9), max_size=6).flatmap(
        lambda values: st.tuples(st.just(values), st.integers(0, len(values)))
    ),
    max_size=8,
)


@given(rows, st.integers(0, 3))
def test_lists_are_cut_at_target_from(rows, skipped):
    lists = batch(
        target_from=([[start] for _, start in rows], pa.int64()),
        timestamps=([values for values, _ in rows], pa.int64()),
    )
    expected = [values[start:] or None for values, start in rows[skipped:]]
    assert prepare_batch(lists.slice(skipped)).to_pydict()["timestamps"] == expected
