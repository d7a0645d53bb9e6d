"""The three servables with a planted query model and a planted ranking model."""

import dataclasses

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf

from serving.index.eligibility import Eligibility, parse_deny_list
from serving.index.exact import ExactIndex
from serving.index.ivf import IvfIndex
from serving.index.scann import ScannIndex
from serving.server import warmup
from serving.server.metrics import Metrics
from serving.server.servable import load_servable
from tests.serving.planted_servables import (
    IDS,
    VECTORS,
    build_candidates,
    export_and_load,
    save_parts,
)


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    return save_parts(tmp_path_factory.mktemp("parts"), ExactIndex(VECTORS), 3)


@pytest.fixture(scope="module")
def servables(parts, tmp_path_factory):
    return export_and_load(
        tmp_path_factory.mktemp("servables"), parts, build_candidates(IDS, VECTORS)
    )


def test_an_exported_model_answers_its_warmup_requests(parts, tmp_path):
    export_and_load(tmp_path, parts, build_candidates(IDS, VECTORS))
    for name in ("retrieval", "ranking", "recommender"):
        loaded = load_servable(name, 1, tmp_path / name)
        # One of defaults only; five items allow histories of zero and one item.
        assert warmup.replay(loaded, tmp_path / name, Metrics()) == 3


def _inputs(users, history, device="web"):
    count = len(users)
    return {
        "user_id": tf.constant(users),
        "history_item_ids": tf.constant(history, tf.string, [count, len(history[0])]),
        "history_timestamps": tf.zeros([count, len(history[0])], tf.int64),
        "now": tf.ones([count], tf.int64),
        "context_device": tf.constant([device] * count),
    }


def _list(model, users, history, excluded, k, device="web", diversity=0.0):
    inputs = _inputs(users, history, device) | {
        "excluded_item_ids": tf.constant(excluded, tf.string, [len(users), len(excluded[0])]),
        "k": tf.constant([k]),
    }
    signature = model.signatures["serving_default"]
    if "diversity" in signature.structured_input_signature[1]:
        inputs["diversity"] = tf.constant(np.atleast_1d(diversity), tf.float32)
    result = signature(**inputs)
    assert sorted(result) == ["item_ids", "known_user", "scores", "stages"]
    ids = [[item.decode() for item in row] for row in result["item_ids"].numpy()]
    return ids, result["scores"].numpy(), result["known_user"].numpy().tolist()


def test_retrieval_gives_the_nearest_without_history_and_exclusions(servables):
    ids, scores, known = _list(
        servables["retrieval"], ["ann", "new"], [["a", ""], ["", "zz"]], [["", ""], ["é", ""]], 2
    )
    assert ids == [["b", "c"], ["d", "a"]]
    np.testing.assert_allclose(scores, [[8, 6], [2, 0]], atol=1e-5)
    assert known == [True, False]


@pytest.fixture(scope="module", params=["allow", "only"])
def repeating(request, parts, tmp_path_factory):
    """The value of `repeats`, and servables with it."""
    folder = tmp_path_factory.mktemp(request.param)
    candidates = build_candidates(IDS, VECTORS)
    return request.param, export_and_load(folder, parts, candidates, repeats=request.param)


def test_lists_hold_items_of_the_history_where_repeats_are_listed(repeating):
    """An item that is in the history twice is listed once; excluded and unknown ones are not."""
    repeats, servables = repeating
    history = [["c", "a", "c", "zz"], ["", "", "", ""]]
    ids, scores, _ = _list(servables["retrieval"], ["ann", "ann"], history, [["b"], [""]], 4)
    expected = {
        "allow": [["a", "c", "d", "é"], ["a", "b", "c", "d"]],
        "only": [["a", "c", "", ""], [""] * 4],
    }
    assert ids == expected[repeats]
    lowest = np.finfo(np.float32).min
    assert scores[0].tolist() == [10, 6, *([0, 0] if repeats == "allow" else [lowest, lowest])]


def test_an_excluded_item_of_the_history_is_not_listed(repeating):
    repeats, servables = repeating
    ids, _, _ = _list(servables["retrieval"], ["ann"], [["a", "b", "c"]], [["a", "c"]], 2)
    assert ids == [["b", "d" if repeats == "allow" else ""]]


def test_ranking_orders_repeatable_items(repeating):
    """Retrieval returns three candidates; ranking orders them from the last of the catalogue."""
    repeats, servables = repeating
    ids, scores, _ = _list(servables["recommender"], ["ann"], [["a", "b"]], [[]], 4)
    expected = {"allow": ["d", "c", "b", "a"], "only": ["b", "a", "", ""]}
    assert ids == [expected[repeats]]
    assert np.isfinite(scores).all()


def test_retrieval_reads_the_context(servables):
    _, scores, _ = _list(servables["retrieval"], ["ann"], [[]], [[]], 1, device="")
    assert scores.tolist() == [[5.0]]


def test_a_k_above_the_catalogue_is_padded_with_empty_ids(servables):
    ids, scores, _ = _list(servables["retrieval"], ["ann"], [["a", "b"]], [["d", "é"]], 9)
    assert ids == [["c", "", "", "", ""]]
    lowest = np.finfo(np.float32).min
    assert scores[0, 1:].tolist() == [lowest] * 4


def test_ranking_scores_the_candidates_of_the_request(servables):
    inputs = _inputs(["ann", "new"], [[], []])
    inputs["candidate_item_ids"] = tf.constant([["é", "a", "zz"], ["b", "", "c"]])
    result = servables["ranking"].signatures["serving_default"](**inputs)
    assert result["relevance"].numpy().tolist() == [[5, 1, 0], [2, 0, 3]]
    np.testing.assert_allclose(result["rating"], [[10.5, 10.1, 10], [0.2, 0, 0.3]], atol=1e-5)


def test_recommender_returns_the_nearest_items_in_ranking_order(servables):
    ids, scores, known = _list(servables["recommender"], ["ann", "new"], [[""], [""]], [[], []], 2)
    # the nearest three are a, b, c for ann; é, d and, with score 0, a for the other user
    assert ids == [["c", "b"], ["é", "d"]]
    assert scores.tolist() == [[3, 2], [5, 4]]
    assert known == [True, False]


def test_recommender_returns_more_items_than_its_depth(servables):
    ids, _, _ = _list(servables["recommender"], ["ann"], [["b"]], [["zz"]], 5)
    assert ids == [["é", "d", "c", "a", ""]]


def test_recommender_keeps_the_order_of_retrieval_if_ranking_was_not_better(parts, tmp_path):
    models = export_and_load(tmp_path, parts, build_candidates(IDS, VECTORS), rank_order=False)
    ids, scores, _ = _list(models["recommender"], ["ann"], [["b"]], [[]], 2)
    assert ids == [["a", "c"]]
    np.testing.assert_allclose(scores, [[10, 6]])


def test_servables_over_scann_are_saved_and_loaded(tmp_path):
    """The same as with the exact index, with a catalogue large enough for ScaNN."""
    rng = np.random.default_rng(2)
    vectors = rng.normal(size=(64, 3)).astype(np.float32)
    ids = [f"i{n}" for n in range(64)]
    parts = save_parts(tmp_path, ScannIndex(vectors, Eligibility.of_all(64), 8, 8, 64), 3, vectors)
    models = export_and_load(
        tmp_path / "out", parts, build_candidates(ids, vectors), rank_order=False
    )
    best = [ids[n] for n in np.argsort(-vectors[:, 0])]
    for name in ("retrieval", "recommender"):
        listing, _, _ = _list(models[name], ["ann"], [[best[0], ""]], [[best[2]]], 3)
        assert listing == [[best[1], best[3], best[4]]]


FILTERS = [["tea"], ["tea", "tin"], ["tin"], [], ["tea"]]  # of a, b, c, d, é


@pytest.fixture(scope="module")
def filtered(tmp_path_factory):
    """As `servables`, but b is unavailable, c is denied, and FILTERS has the items' categories."""
    folder = tmp_path_factory.mktemp("filtered")
    candidates = dataclasses.replace(
        build_candidates(IDS, VECTORS),
        available=pa.array([True, False, True, True, True]),
        filters=pa.array(FILTERS, pa.large_list(pa.large_binary())),
    )
    eligible = Eligibility.of(candidates, parse_deny_list("c\nnobody"))
    parts = save_parts(folder, ExactIndex(VECTORS, eligible), 3)
    return export_and_load(folder / "out", parts, candidates)


@pytest.mark.parametrize(
    ("allowed", "expected"),
    [
        ([], [["a", "é", "d"], ["é", "d", "a"]]),  # no filter: all available items
        (["", ""], [["a", "é", "d"], ["é", "d", "a"]]),
        (["tea", ""], [["a", "é", ""], ["é", "a", ""]]),
        (["nothing", "tea"], [["a", "é", ""], ["é", "a", ""]]),
        (["tin"], [["", "", ""], ["", "", ""]]),  # only b and c, which are never listed
        (["nothing"], [["", "", ""], ["", "", ""]]),
    ],
)
def test_lists_contain_available_and_allowed_items_only(filtered, allowed, expected):
    inputs = _inputs(["ann", "new"], [[], []]) | {
        "excluded_item_ids": tf.zeros([2, 0], tf.string),
        "allowed_categories": tf.constant([allowed, allowed], tf.string, [2, len(allowed)]),
        "k": tf.constant([3]),
    }
    result = filtered["retrieval"].signatures["serving_default"](**inputs)["item_ids"].numpy()
    assert [sorted(row) for row in _texts(result)] == [sorted(row) for row in expected]
    inputs["diversity"] = tf.constant([0.0])
    final = filtered["recommender"].signatures["serving_default"](**inputs)["item_ids"].numpy()
    in_rankings_order = [item for item in ("é", "d", "a") if item in expected[0]]
    assert [[item for item in row if item] for row in _texts(final)] == [in_rankings_order] * 2


def test_each_row_has_its_own_categories(filtered):
    inputs = _inputs(["new", "new"], [[], []]) | {
        "excluded_item_ids": tf.constant([["é"], [""]]),
        "allowed_categories": tf.constant([["tea"], [""]]),
        "k": tf.constant([2]),
    }
    result = filtered["retrieval"].signatures["serving_default"](**inputs)["item_ids"].numpy()
    assert _texts(result) == [["a", ""], ["é", "d"]]


def _texts(ids):
    return [[item.decode() for item in row] for row in ids]


def test_categories_are_an_input_only_if_declared(servables, filtered):
    for name, is_input in (("retrieval", True), ("recommender", True), ("ranking", False)):
        inputs = filtered[name].signatures["serving_default"].structured_input_signature[1]
        assert ("allowed_categories" in inputs) == is_input
        inputs = servables[name].signatures["serving_default"].structured_input_signature[1]
        assert "allowed_categories" not in inputs


@pytest.fixture(scope="module", params=["exact", "scann", "ivf"])
def wide(request, tmp_path_factory):
    """6,000 items in three categories, one in ten unavailable, with each kind of index."""
    rng = np.random.default_rng(5)
    vectors = rng.normal(size=(6_000, 3)).astype(np.float32)
    ids = [f"i{n}" for n in range(6_000)]
    candidates = dataclasses.replace(
        build_candidates(ids, vectors),
        available=pa.array([n % 10 != 0 for n in range(6_000)]),
        filters=pa.array([[f"c{n % 3}".encode()] for n in range(6_000)]),
    )
    eligible = Eligibility.of(candidates, parse_deny_list(""))
    index = {
        "exact": lambda: ExactIndex(vectors, eligible),
        "scann": lambda: ScannIndex(vectors, eligible, 75, 10, 300),
        "ivf": lambda: IvfIndex(vectors, eligible, 75, 10, "float32"),
    }[request.param]()
    folder = tmp_path_factory.mktemp(request.param)
    models = export_and_load(
        folder / "out", save_parts(folder, index, 3, vectors), candidates, depth=200
    )
    return models, vectors


def _answer(model, **inputs):
    """Item ids of each row; the recommender's are diversified."""
    signature = model.signatures["serving_default"]
    if "diversity" in signature.structured_input_signature[1]:
        inputs["diversity"] = tf.constant([0.5])
    return _texts(signature(**inputs)["item_ids"].numpy())


@pytest.mark.parametrize(("interacted", "k"), [(5_390, 10), (4_000, 200), (5_400, 5)])
def test_a_user_with_thousands_of_events_gets_k_items(wide, interacted, k):
    """The history holds the user's best items, so that all of them score above the rest."""
    models, vectors = wide
    best = [n for n in np.argsort(-vectors[:, 0]) if n % 10 != 0]
    history, remaining = best[:interacted], best[interacted:]
    inputs = _inputs(["ann"], [[f"i{n}" for n in history]]) | {
        "excluded_item_ids": tf.zeros([1, 0], tf.string),
        "allowed_categories": tf.zeros([1, 0], tf.string),
        "k": tf.constant([k]),
    }
    for name in ("retrieval", "recommender"):
        (texts,) = _answer(models[name], **inputs)
        items = [item for item in texts if item]
        assert len(items) == len(set(items)) == min(k, len(remaining))
        assert set(items) <= {f"i{n}" for n in remaining}


def test_k_items_of_a_category_are_returned_despite_a_long_history(wide):
    models, vectors = wide
    best = [n for n in np.argsort(-vectors[:, 0]) if n % 10 != 0]
    inputs = _inputs(["ann"], [[f"i{n}" for n in best[:5_000]]]) | {
        "excluded_item_ids": tf.zeros([1, 0], tf.string),
        "allowed_categories": tf.constant([["c1", "nothing"]]),
        "k": tf.constant([40]),
    }
    for name in ("retrieval", "recommender"):
        (texts,) = _answer(models[name], **inputs)
        assert len(set(texts)) == 40
        assert set(texts) <= {f"i{n}" for n in best[5_000:] if n % 3 == 1}
