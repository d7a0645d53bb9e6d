import numpy as np

from serving.index.eligibility import Eligibility
from serving.index.measurement import ExactAnswers, compute_ann_recall, compute_exact_answers

ONE = np.ones((1, 1), np.float32)


def column(*values):
    return np.array(values, np.float32)[:, None]


def test_share_of_the_exact_neighbours_by_hand():
    """Item i's product with a query is 12 - i; items 1 to 4 are better but unavailable."""
    available = np.arange(12) >= 4
    eligible = Eligibility(available, np.zeros((12, 1), np.int32))
    exact = ExactAnswers(
        column(*range(11, -1, -1)), eligible, np.tile(ONE, (4, 1)), np.tile([5, 6, 7, 8], (4, 1))
    )
    result = np.array([[8, 7, 6, 5], [5, 6, 0, 0], [9, 10, 11, 12], [1, 2, 5, 5]])
    assert compute_ann_recall(result, exact).tolist() == [1, 0.5, 0, 0.25]


def test_an_item_as_near_as_the_last_is_a_hit():
    """Four items share a product of 1: any two of them complete the list."""
    exact = ExactAnswers(
        column(3, 2, 1, 1, 1, 1, 0), Eligibility.of_all(7), np.tile(ONE, (3, 1)),
        np.tile([1, 2, 3, 4], (3, 1)),
    )  # fmt: skip
    result = np.array([[1, 2, 5, 6], [3, 4, 5, 6], [1, 2, 6, 7]])
    assert compute_ann_recall(result, exact).tolist() == [1, 1, 0.75]


def test_items_within_float32_rounding_are_as_near():
    """.1 + .2 is .3 apart from rounding; .2997 is a different score."""
    vectors = np.array([[0.1, 0.2], [0.3, 0.0], [0.2997, 0.0]], np.float32)
    for first, second in ((1, 2), (2, 1)):
        exact = ExactAnswers(
            vectors, Eligibility.of_all(3), np.ones((2, 2), np.float32), np.array([[first]] * 2)
        )
        assert compute_ann_recall(np.array([[second], [3]]), exact).tolist() == [1, 0]


def test_exact_neighbours_have_the_greatest_products_among_available_items():
    """The product of position p with the query is p - 1; the last item is unavailable."""
    eligible = Eligibility(np.arange(150) < 149, np.zeros((150, 1), np.int32))
    exact_answers = compute_exact_answers(column(*range(150)), eligible, np.tile(ONE, (2, 1)))
    assert [sorted(row) for row in exact_answers.positions.tolist()] == [list(range(50, 150))] * 2


def test_a_small_catalogue_is_its_own_neighbourhood():
    vectors = np.ones((3, 2), np.float32)
    exact_answers = compute_exact_answers(vectors, Eligibility.of_all(3), vectors)
    assert [sorted(row) for row in exact_answers.positions.tolist()] == [[1, 2, 3]] * 3
    assert exact_answers.depth == 3
