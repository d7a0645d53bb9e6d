import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.index.build import save_index
from serving.index.eligibility import Eligibility
from serving.index.exact import ExactIndex
from serving.index.ivf import IvfIndex
from serving.index.scann import ScannIndex

ITEMS, DIM = 300, 8
FORMS = {
    "exact": ExactIndex,
    "scann": lambda vectors, eligible: ScannIndex(vectors, eligible, 12, 4, 100),
    "ivf": lambda vectors, eligible: IvfIndex(vectors, eligible, 12, 2),
    "ivf of bytes": lambda vectors, eligible: IvfIndex(vectors, eligible, 12, 2, "int8"),
}

_IN_A_FRESH_PROCESS = """
import sys
import numpy as np
import tensorflow as tf
folder, *forms = sys.argv[1:]
if "scann" in forms:
    from scann.scann_ops.py import scann_ops
assert ("scann" in sys.modules) == ("scann" in forms) and "serving" not in sys.modules
arguments = np.load(folder + "/arguments.npz")
names = ("queries", "excluded", "allowed", "k")
for form in forms:
    index = tf.saved_model.load(folder + "/" + form)
    result = index.search(*(tf.constant(arguments[name]) for name in names))
    np.savez(f"{folder}/{form}.npz", positions=result[0].numpy(), scores=result[1].numpy())
"""


@pytest.fixture(scope="module")
def planted():
    """Twelve cluster centres with 25 items each; the queries are the centres."""
    rng = np.random.default_rng(3)
    centres = rng.normal(size=(12, DIM))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    vectors = np.repeat(centres, 25, axis=0) + rng.normal(size=(ITEMS, DIM)) * 0.05
    return vectors.astype(np.float32), centres.astype(np.float32)


@pytest.fixture(scope="module")
def eligible():
    """Every tenth item is unavailable; categories 1 and 2 alternate, every third item has both."""
    number = np.arange(ITEMS)
    categories = np.stack([1 + number % 2, np.where(number % 3 == 0, 2 - number % 2, 0)], axis=1)
    return Eligibility(number % 10 != 9, categories.astype(np.int32))


@pytest.fixture(scope="module", params=FORMS)
def form(request):
    return request.param


@pytest.fixture(scope="module")
def index(form, planted, eligible):
    return FORMS[form](planted[0], eligible)


@pytest.fixture(scope="module")
def search(index):
    return build_search(index)


def build_search(index):
    """`index.search` traced once, for any number of queries, excluded items and filters."""
    numbers = tf.TensorSpec([None, None], tf.int32)
    signature = [tf.TensorSpec([None, DIM]), numbers, numbers, tf.TensorSpec([], tf.int32)]
    traced = tf.function(index.search, input_signature=signature)

    def traced_search(queries, excluded, k, allowed=None):
        allowed = np.zeros((len(queries), 0)) if allowed is None else allowed
        results = traced(
            tf.constant(queries),
            tf.constant(excluded, tf.int32),
            tf.constant(allowed, tf.int32),
            tf.constant(k),
        )
        return tuple(values.numpy() for values in results)

    return traced_search


def no_ids(queries):
    return np.zeros((len(queries), 0))


def unavailable():
    return set(range(10, ITEMS + 1, 10))


def test_results_are_in_the_cluster_of_the_query(planted, search):
    positions, scores = search(planted[1], no_ids(planted[1]), 10)
    cluster = (positions - 1) // 25
    assert (cluster == np.arange(12)[:, None]).mean() > 0.95
    assert (np.diff(scores, axis=1) <= 0).all()


def test_if_the_probed_leaves_are_not_enough_all_are_searched(planted, search):
    """Two leaves hold about fifty items; 200 are requested, and 270 are available."""
    positions, _ = search(planted[1], no_ids(planted[1]), 200)
    for row in positions.tolist():
        assert len(set(row)) == 200
        assert not set(row) & (unavailable() | {0})


def test_an_unavailable_item_is_never_returned(planted, search):
    positions, scores = search(planted[1], no_ids(planted[1]), ITEMS)
    assert positions.shape == (12, 270)
    assert all(set(row) == set(range(1, ITEMS + 1)) - unavailable() for row in positions.tolist())
    assert np.isfinite(scores).all()


@settings(max_examples=30, deadline=None)
@given(
    excluded=st.lists(
        st.lists(st.integers(0, ITEMS), min_size=8, max_size=8), min_size=2, max_size=2
    ),
    many=st.integers(0, ITEMS),
    k=st.integers(1, ITEMS + 3),
)
def test_only_eligible_items_are_found_and_all_of_them(planted, search, excluded, many, k):
    """The first `many` items are excluded in addition to scattered ones; 0 is padding."""
    queries = planted[1][:2]
    out = np.concatenate([excluded, np.tile(np.arange(1, many + 1), (2, 1))], axis=1)
    positions, scores = search(queries, out, k)
    for row in range(2):
        eligible = set(range(1, ITEMS + 1)) - unavailable() - set(out[row].astype(int).tolist())
        result = positions[row][positions[row] > 0].tolist()
        assert len(result) == len(set(result)) == min(k, len(eligible))
        assert set(result) <= eligible
        assert np.isneginf(scores[row][positions[row] == 0]).all()


@pytest.mark.parametrize(
    ("allowed", "categories"), [([1, 0], {1}), ([2, 2], {2}), ([2, 1], {1, 2})]
)
def test_a_filter_returns_its_categories(planted, eligible, search, allowed, categories):
    positions, _ = search(planted[1], no_ids(planted[1]), ITEMS, np.tile(allowed, (12, 1)))
    expected = {
        position
        for position in set(range(1, ITEMS + 1)) - unavailable()
        if set(eligible.categories[position - 1].tolist()) & categories
    }
    for row in positions.tolist():
        assert set(row) - {0} == expected


def test_filters_apply_by_row_and_an_unknown_category_matches_nothing(planted, search):
    queries = planted[1][:3]
    positions, _ = search(queries, no_ids(queries), 5, [[-1, 0], [0, 0], [1, 0]])
    assert not positions[0].any()
    assert (positions[1:] > 0).all()
    assert positions[1].tolist() == search(queries, no_ids(queries), 5)[0][1].tolist()


def test_a_batch_gives_the_same_as_its_rows_alone(planted, search):
    queries = planted[1]
    excluded = np.random.default_rng(5).integers(0, ITEMS + 1, (12, 40))
    together, scores = search(queries, excluded, 30)
    for row in range(12):
        alone = search(queries[row : row + 1], excluded[row : row + 1], 30)
        assert alone[0][0].tolist() == together[row].tolist()
        np.testing.assert_allclose(alone[1][0], scores[row], rtol=1e-5)


@pytest.mark.parametrize("forms", [("exact", "ivf", "ivf of bytes"), ("scann",)])
def test_a_saved_index_gives_the_same_in_a_fresh_process(forms, planted, eligible, tmp_path):
    """Only ScaNN needs a library besides TensorFlow."""
    arguments = {
        "queries": planted[1],
        "excluded": np.tile(np.arange(1, 31, dtype=np.int32), (12, 1)),
        "allowed": np.tile(np.array([1], np.int32), (12, 1)),
        "k": np.int32(40),
    }
    before = {}
    for form in forms:
        index = FORMS[form](planted[0], eligible)
        before[form] = build_search(index)(
            arguments["queries"], arguments["excluded"], 40, arguments["allowed"]
        )
        save_index(index, DIM, str(tmp_path / form))
    np.savez(tmp_path / "arguments.npz", **arguments)
    command = [sys.executable, "-c", _IN_A_FRESH_PROCESS, str(tmp_path), *forms]
    subprocess.run(command, check=True, capture_output=True)
    for form, (positions, scores) in before.items():
        after = np.load(tmp_path / f"{form}.npz")
        assert after["positions"].tolist() == positions.tolist()
        np.testing.assert_allclose(after["scores"], scores, rtol=1e-6)
