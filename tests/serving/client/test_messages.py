import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from schema.errors import UsageError
from serving.client.messages import ListingQuery, build_listing_request

DECLARED = {
    "user_id": ("string", (-1,)),
    "history_item_ids": ("string", (-1, -1)),
    "history_timestamps": ("int64", (-1, -1)),
    "now": ("int64", (-1,)),
    "excluded_item_ids": ("string", (-1, -1)),
    "k": ("int32", (-1,)),
    "context_device": ("string", (-1,)),
    "context_price": ("float32", (-1,)),
    "context_since": ("int64", (-1,)),
    "user_tags": ("string", (-1, -1)),
    "user_face": ("float32", (-1, 3)),
}


def _assert_fits(request):
    """Every input has the declared type and a compatible shape, according to TensorFlow."""
    assert request.keys() <= DECLARED.keys()
    for name in request:
        dtype, shape = DECLARED[name]
        proto = tf.make_tensor_proto(request[name])
        assert tf.dtypes.as_dtype(proto.dtype).name == dtype, name
        sizes = [dim.size for dim in proto.tensor_shape.dim]
        assert len(sizes) == len(shape), name
        assert all(want in (-1, got) for got, want in zip(sizes, shape, strict=True)), name


def test_categories_are_sent_to_models_that_declare_them():
    filtered = DECLARED | {"allowed_categories": ("string", (-1, -1))}
    request = build_listing_request(filtered, ListingQuery("u", [], 9, 5, allowed=["tea", "é"]))
    assert request["allowed_categories"].tolist() == [[b"tea", "é".encode()]]
    assert "allowed_categories" not in build_listing_request(filtered, ListingQuery("u", [], 9, 5))
    with pytest.raises(UsageError, match=r"data\.items\.filter"):
        build_listing_request(DECLARED, ListingQuery("u", [], 9, 5, allowed=["tea"]))


def test_a_diversity_is_sent_to_models_that_declare_it():
    diverse = DECLARED | {"diversity": ("float32", (-1,))}
    request = build_listing_request(diverse, ListingQuery("u", diversity=0.5))
    assert request["diversity"].tolist() == [0.5]
    assert request["diversity"].dtype == np.float32
    assert "diversity" not in build_listing_request(diverse, ListingQuery("u"))
    with pytest.raises(UsageError, match="received a diversity for one without it"):
        build_listing_request(DECLARED, ListingQuery("u", diversity=0.0))


def test_a_new_user_without_history():
    request = build_listing_request(DECLARED, ListingQuery("nobody", [], now=9, k=5))
    _assert_fits(request)
    assert request["user_id"].tolist() == [b"nobody"]
    assert request["history_item_ids"].shape == (1, 0)
    assert request["history_timestamps"].shape == (1, 0)
    assert request["excluded_item_ids"].shape == (1, 0)
    assert request["now"].tolist() == [9]
    assert request["k"].tolist() == [5]
    assert not [
        name for name in request if name.startswith(("context_", "user_")) and name != "user_id"
    ]


def test_the_request_contains_all_known_values():
    request = build_listing_request(
        DECLARED,
        ListingQuery(
            "zoë",
            [("a", 1), ("b", 2)],
            now=3,
            k=2,
            excluded=["c"],
            features={
                "context_device": "phone",
                "context_price": 1.5,
                "context_since": 7,
                "user_tags": ["x", "y"],
                "user_face": [0.1, 0.2, 0.3],
            },
        ),
    )
    _assert_fits(request)
    assert request["user_id"].tolist() == ["zoë".encode()]
    assert request["history_item_ids"].tolist() == [[b"a", b"b"]]
    assert request["history_timestamps"].tolist() == [[1, 2]]
    assert request["excluded_item_ids"].tolist() == [[b"c"]]
    assert tf.make_tensor_proto(request["context_device"]).string_val == [b"phone"]
    assert request["context_price"].tolist() == [1.5]
    assert request["context_since"].tolist() == [7]
    assert tf.make_tensor_proto(request["user_tags"]).string_val == [b"x", b"y"]
    np.testing.assert_allclose(request["user_face"], [[0.1, 0.2, 0.3]], rtol=1e-6)


@given(
    history=st.lists(st.tuples(st.text(max_size=5), st.integers(0, 2**40)), max_size=4),
    tags=st.none() | st.lists(st.text(max_size=4), max_size=3),
    device=st.none() | st.text(max_size=4),
)
def test_every_request_fits_the_signature(history, tags, device):
    features = {"user_tags": tags, "context_device": device}
    request = build_listing_request(
        DECLARED, ListingQuery("u", history, now=1, k=1, features=features)
    )
    _assert_fits(request)
    assert request["history_item_ids"][0].tolist() == [item.encode() for item, _ in history]


def test_undeclared_inputs_are_not_sent():
    declared = {name: DECLARED[name] for name in ("user_id", "k", "now", "history_item_ids")}
    declared |= {name: DECLARED[name] for name in ("history_timestamps", "excluded_item_ids")}
    request = build_listing_request(
        declared, ListingQuery("u", [], 1, 1, features={"user_tags": ["x"]})
    )
    assert request.keys() == declared.keys()
