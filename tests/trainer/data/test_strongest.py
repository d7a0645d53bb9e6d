import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from trainer.data.strongest import select_strongest


def test_the_greatest_entries_stay_and_ties_go_to_the_lower_column():
    rows = sparse.csr_matrix(np.array([[3.0, 1, 2, 0], [1, 1, 1, 1], [0, 0, 0, 0], [0, 0, 5, 0]]))
    assert select_strongest(rows, 2).toarray().tolist() == [
        [3, 0, 2, 0],
        [1, 1, 0, 0],
        [0, 0, 0, 0],
        [0, 0, 5, 0],
    ]


def test_entries_that_are_not_positive_are_dropped():
    rows = sparse.csr_matrix((np.array([0.0, -1.0, 2.0]), ([0, 0, 0], [0, 1, 2])), shape=(1, 3))
    selected = select_strongest(rows, 3)
    assert (selected.nnz, selected.toarray().tolist()) == (1, [[0, 0, 2]])


def test_columns_in_any_order():
    rows = sparse.csr_matrix((np.ones(3), np.array([2, 0, 1]), np.array([0, 3])), shape=(1, 3))
    assert select_strongest(rows, 2).indices.tolist() == [0, 1]


@given(
    st.lists(st.lists(st.integers(0, 4), min_size=5, max_size=5), min_size=1, max_size=6),
    st.integers(1, 6),
)
def test_as_sorting_each_row(table, most):
    expected = np.zeros((len(table), 5))
    for row, values in enumerate(table):
        for column in sorted(range(5), key=lambda column: (-values[column], column))[:most]:
            expected[row, column] = values[column]
    rows = sparse.csr_matrix(np.array(table, float))
    assert select_strongest(rows, most).toarray().tolist() == expected.tolist()
