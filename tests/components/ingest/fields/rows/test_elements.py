"""Lists in each form that a column can have."""

import pyarrow as pa
import pytest

from components.ingest.fields.rows.elements import split_elements


def texts(*values):
    return pa.array(values, pa.large_string())


@pytest.mark.parametrize(
    ("values", "separator", "expected"),
    [
        (texts("a,b", "c", None, "", " d , e "), ",", [["a", "b"], ["c"], [], [], ["d", "e"]]),
        (texts("N1  N2 ", "N3"), " ", [["N1", "N2"], ["N3"]]),
        (texts("a|b", "|"), "|", [["a", "b"], ["", ""]]),
        (texts('["a, b", "c"]', "['d']", "[]", "e f"), " ", [["a, b", "c"], ["d"], [], ["e", "f"]]),
        (texts("[1, 2]", None), ",", [[1, 2], []]),
        ([["a", 5], None, [], "b,c", 7], ",", [["a", 5], [], [], ["b", "c"], [7]]),
        (pa.array([[1, 2], None, [3]]), ",", [[1, 2], [], [3]]),
        (pa.array([4, None, 5]), ",", [[4], [], [5]]),
    ],
)
def test_lists(values, separator, expected):
    elements = split_elements(values, separator)
    flat = elements.values if isinstance(elements.values, list) else elements.values.to_pylist()
    assert elements.counts.tolist() == [len(each) for each in expected]
    assert flat == [element for each in expected for element in each]
    assert elements.rows.tolist() == [n for n, each in enumerate(expected) for _ in each]
