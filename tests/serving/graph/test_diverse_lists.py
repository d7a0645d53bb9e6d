"""The input `diversity` of the exported recommender.

Ranking's relevance is an item's position, so its order is é, d, c, b, a; a, b and c are parallel,
orthogonal to the parallel d and é.
"""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.graph.saved_models import read_meta_graph
from serving.index.exact import ExactIndex
from serving.protocol import signature_defaults
from tests.serving.planted_servables import (
    IDS,
    VECTORS,
    build_candidates,
    export_and_load,
    save_parts,
)

DEPTH = 5


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    return save_parts(tmp_path_factory.mktemp("parts"), ExactIndex(VECTORS), 3)


@pytest.fixture(scope="module")
def models(parts, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    return export_and_load(folder, parts, build_candidates(IDS, VECTORS), depth=DEPTH)


def recommend(model, users, k, diversity, excluded=()):
    count = len(users)
    return model.signatures["serving_default"](
        user_id=tf.constant(users),
        history_item_ids=tf.zeros([1, 0], tf.string),
        history_timestamps=tf.zeros([1, 0], tf.int64),
        now=tf.ones([1], tf.int64),
        context_device=tf.constant([""]),
        excluded_item_ids=tf.constant([list(excluded)], tf.string, [1, len(excluded)]),
        k=tf.constant(np.broadcast_to(k, [count]), tf.int32),
        diversity=tf.constant(np.atleast_1d(diversity), tf.float32),
    )


def texts(answer):
    return [[item.decode() for item in row if item] for row in answer["item_ids"].numpy()]


def test_a_diverse_list_has_both_directions_with_rankings_scores(models):
    """Relevance is 5 to 1, standardised 1.41 to -1.41; the ten cosines are 1 four times and 0 six
    times, standardised 1.22 and -0.82. After é: d 0.35 - 0.61, c 0 + 0.41.
    """
    answer = recommend(models["recommender"], ["new"], 3, 0.5)
    assert texts(answer) == [["é", "c", "d"]]
    assert answer["scores"].numpy().tolist() == [[5, 3, 4]]
    assert answer["stages"].numpy().tolist() == [[b"ranking"] * 3]


def test_retrievals_order_is_diversified_where_it_is_served(parts, tmp_path):
    """ann's scores are 5, 4, 3, 0, 0 for a to é: standardised 1.24, 0.77, 0.29, -1.15, -1.15. After
    a: b 0.31 - 0.73, c 0.12 - 0.73, d and é -0.46 + 0.49.
    """
    candidates = build_candidates(IDS, VECTORS)
    models = export_and_load(tmp_path, parts, candidates, depth=DEPTH, rank_order=False)
    answer = recommend(models["recommender"], ["ann"], 2, 0.6)
    assert texts(answer) == [["a", "d"]]
    assert answer["stages"].numpy().tolist() == [[b"retrieval"] * 2]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["ann", "new"]), st.integers(1, 7)), min_size=1, max_size=4),
    st.sets(st.sampled_from(IDS), max_size=3),
)
def test_diversity_0_leaves_lists_and_scores_as_they_are(models, rows, excluded):
    """Alone and in a batch with a diverse row: ranking's order with its scores."""
    expected = [item for item in reversed(IDS) if item not in excluded]
    users, k = zip(*rows, strict=True)
    alone = recommend(models["recommender"], users, k, 0.0, sorted(excluded))
    joined = recommend(
        models["recommender"], [*users, "new"], [*k, 1], [0.0] * len(rows) + [0.9], sorted(excluded)
    )
    assert texts(alone) == texts(joined)[:-1] == [expected[:n] for n in k]
    scores = [[IDS.index(item) + 1 for item in expected[:n]] for n in k]
    for answer in (alone, joined):
        answered = answer["scores"].numpy()
        assert [row[: len(s)].tolist() for row, s in zip(answered, scores, strict=False)] == scores


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["ann", "new"]), st.integers(1, 7), st.sampled_from([0, 0.3, 0.7, 1])
        ),
        min_size=2,
        max_size=4,
    ),
    st.sets(st.sampled_from(IDS), max_size=3),
)
def test_a_batch_gives_what_its_rows_give_alone(models, rows, excluded):
    users, k, diversity = zip(*rows, strict=True)
    together = recommend(models["recommender"], users, k, diversity, sorted(excluded))
    for (user, own_k, own_diversity), items in zip(rows, texts(together), strict=True):
        alone = recommend(models["recommender"], [user], own_k, own_diversity, sorted(excluded))
        assert texts(alone) == [items]
        assert len(items) == len(set(items)) == min(own_k, len(IDS) - len(excluded))
        assert not excluded & set(items)


def test_a_long_list_in_the_batch_does_not_change_a_short_ones_candidates(parts, tmp_path):
    """With a depth of three, ann's candidates are a, b and c, although the other row has all."""
    models = export_and_load(tmp_path, parts, build_candidates(IDS, VECTORS))
    for diversity in (0.0, 0.8):
        answer = recommend(models["recommender"], ["ann", "new"], [2, 5], diversity)
        assert texts(answer)[0] == ["c", "b"]


@pytest.mark.parametrize("wrong", [-0.1, 1.1, np.nan])
def test_a_diversity_out_of_bounds_ends_the_call(models, wrong):
    with pytest.raises(tf.errors.InvalidArgumentError, match="diversity must be between 0 and 1"):
        recommend(models["recommender"], ["ann", "new"], 2, [0.5, wrong])


def test_the_default_is_in_the_signature(parts, tmp_path):
    export_and_load(tmp_path, parts, build_candidates(IDS, VECTORS), diversity=0.25)
    for name, expected in (("recommender", [0.25]), ("retrieval", None)):
        signature = read_meta_graph(tmp_path / name).signature_def["serving_default"]
        default = signature_defaults.read(signature).get("diversity")
        assert (None if default is None else default.tolist()) == expected
