import numpy as np

from serving import ann_recall
from serving.eligibility import Eligibility


def test_share_of_the_exact_neighbours_by_hand():
    exact = np.array([[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]])
    found = np.array([[4, 3, 2, 1], [5, 6, 0, 0], [1, 2, 3, 4]])
    assert ann_recall.of_each(found, exact).tolist() == [1, 0.5, 0]


def test_exact_neighbours_are_the_greatest_products_of_what_is_available():
    """Item i's product with the query is i; the last one is not to be had."""
    vectors = np.arange(150, dtype=np.float32)[:, None]
    eligible = Eligibility(np.arange(150) < 149, np.zeros((150, 1), np.int32))
    found = ann_recall.exact_positions(vectors, eligible, np.ones((2, 1), np.float32))
    assert [sorted(row) for row in found.tolist()] == [list(range(50, 150))] * 2


def test_a_small_catalogue_is_its_own_neighbourhood():
    vectors = np.ones((3, 2), np.float32)
    found = ann_recall.exact_positions(vectors, Eligibility.of_all(3), vectors)
    assert [sorted(row) for row in found.tolist()] == [[1, 2, 3]] * 3
