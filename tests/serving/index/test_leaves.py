import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.index.leaves import choose_leaf_count, find_nearest_means, partition_vectors


@pytest.fixture(scope="module")
def planted():
    """Three distant clusters with 40, 30 and 20 vectors."""
    rng = np.random.default_rng(1)
    means = np.array([[10, 0], [0, 10], [-10, -10]], np.float32)
    return (np.repeat(means, [40, 30, 20], axis=0) + rng.normal(size=(90, 2))).astype(np.float32)


def rows_of(partition, leaf):
    begin, size = partition.start[leaf], partition.size[leaf]
    return sorted(partition.source[begin : begin + size].tolist())


def test_planted_clusters_become_leaves(planted):
    partition = partition_vectors(planted, 3)
    result = sorted(rows_of(partition, leaf) for leaf in range(3))
    assert result == [list(range(40)), list(range(40, 70)), list(range(70, 90))]
    for leaf in range(3):
        expected = planted[rows_of(partition, leaf)].mean(axis=0)
        np.testing.assert_allclose(partition.centroids[leaf], expected, rtol=1e-5)


@given(
    count=st.integers(1, 12),
    values=st.lists(st.integers(-2, 2), min_size=2, max_size=300),
)
def test_every_vector_has_one_row_and_every_leaf_an_aligned_start(count, values):
    """Vectors repeat, so that fewer leaves than requested may be filled."""
    vectors = np.array(values, np.float32)[:, None] * np.ones((1, 3), np.float32)
    partition = partition_vectors(vectors, count)
    assert sorted(partition.source[partition.source >= 0].tolist()) == list(range(len(vectors)))
    assert (partition.start % 64 == 0).all()
    assert (partition.size > 0).all()
    assert partition.size.sum() == len(vectors)
    assert len(partition.size) <= min(count, len(vectors))


def test_one_seed_gives_one_partition(planted):
    first, second = partition_vectors(planted, 5, seed=4), partition_vectors(planted, 5, seed=4)
    assert first.source.tolist() == second.source.tolist()


def test_nearest_selects_the_smallest_distance():
    means = np.array([[0, 0], [4, 0]], np.float32)
    queries = np.array([[1, 9], [3, -9], [2.1, 0]], np.float32)
    assert find_nearest_means(queries, means).tolist() == [0, 1, 1]


@pytest.mark.parametrize(("items", "expected"), [(1, 1), (2, 1), (100, 10), (1_000_000, 1000)])
def test_about_as_many_leaves_as_the_square_root(items, expected):
    assert choose_leaf_count(items) == expected
