"""Inputs that a request may omit or give once for all rows, with stock stubs and raw HTTP.

`ann` likes a, b and c (5, 4, 3), all others é and d (2, 1); scores double on the web. Ranking's
relevance is an item's position in the catalogue: a 1, b 2, c 3, d 4, é 5.
"""

import json
import time
import urllib.error
import urllib.request

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from serving.server.app import run_server
from tests.serving.planted_servables import push_servables

LOWEST = np.finfo(np.float32).min
WHOLE = {
    "user_id": ["new"],
    "history_item_ids": [["a"]],
    "history_timestamps": np.array([[5]]),
    "now": np.array([9]),
    "context_device": ["web"],
    "excluded_item_ids": [["b"]],
    "k": np.array([3], np.int32),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with run_server(push_servables(tmp_path_factory.mktemp("optional"))) as running:
        yield running


@pytest.fixture
def predict(server):
    with grpc.insecure_channel(server.grpc_address) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)

        def send(model, **inputs):
            request = predict_pb2.PredictRequest()
            request.model_spec.name = model
            for name, value in inputs.items():
                request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
            answer = stub.Predict(request, timeout=30).outputs
            return {name: tf.make_ndarray(proto).tolist() for name, proto in answer.items()}

        yield send


@pytest.fixture
def post(server):
    def send(model, body):
        url = f"{server.rest_url}/v1/models/{model}:predict"
        request = urllib.request.Request(url, json.dumps(body).encode(), method="POST")
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    return send


def test_an_empty_request_has_a_real_answer(predict):
    """Ten items are requested and five exist, three of which score 0 for a new user."""
    response = predict("retrieval")
    assert response["item_ids"][0][:2] == ["é".encode(), b"d"]
    assert sorted(response["item_ids"][0][2:]) == [b"a", b"b", b"c"]
    np.testing.assert_allclose(response["scores"], [[2, 1, 0, 0, 0]], atol=1e-6)
    assert response["stages"] == [[b"retrieval"] * 5]
    assert response["known_user"] == [False]
    final = predict("recommender")
    assert [item.decode() for item in final["item_ids"][0]] == ["é", "d", "c", "b", "a"]
    assert final["scores"] == [[5, 4, 3, 2, 1]]
    assert final["stages"] == [[b"ranking"] * 5]


@pytest.mark.parametrize("left_out", WHOLE)
def test_each_input_may_be_left_out(predict, left_out):
    """The default is that of an empty request: new user, no history, no exclusions, ten items."""
    names = {left_out} | ({"history_timestamps"} if left_out == "history_item_ids" else set())
    rest = {name: value for name, value in WHOLE.items() if name not in names}
    response = predict("retrieval", **rest)
    device, history, excluded = (
        rest.get(name) for name in ("context_device", "history_item_ids", "excluded_item_ids")
    )
    unlisted = {item for row in (history, excluded) if row for item in row[0]}
    expected = [item for item in ("é", "d", "a", "b", "c") if item not in unlisted][
        : 3 if "k" in rest else 5
    ]
    factor = 2 if device else 1
    assert [item.decode() for item in response["item_ids"][0] if item][:2] == expected[:2]
    assert sum(1 for item in response["item_ids"][0] if item) == len(expected)
    np.testing.assert_allclose(response["scores"][0][:2], [2 * factor, factor])


def test_each_row_has_its_own_k_and_one_device_applies_to_both(predict):
    response = predict(
        "recommender",
        user_id=["ann", "new"],
        k=np.array([1, 2], np.int32),
        context_device=["web"],
    )
    assert response["item_ids"] == [[b"c", b""], ["é".encode(), b"d"]]
    assert response["stages"] == [[b"ranking", b""], [b"ranking", b"ranking"]]
    assert response["scores"] == [[3, LOWEST], [5, 4]]
    assert response["known_user"] == [True, False]
    web, plain = (
        predict("retrieval", user_id=["ann", "new"], context_device=[device])
        for device in ("web", "")
    )
    np.testing.assert_allclose(np.array(web["scores"])[:, :2], [[10, 8], [4, 2]], rtol=1e-6)
    np.testing.assert_allclose(np.array(plain["scores"])[:, :2], [[5, 4], [2, 1]], rtol=1e-6)


def test_a_batch_gives_the_same_as_its_rows_alone(predict):
    users, histories = ["ann", "new", "ann"], [["a"], [""], ["c"]]
    together = predict("recommender", user_id=users, history_item_ids=histories)
    for row, (user, history) in enumerate(zip(users, histories, strict=True)):
        alone = predict("recommender", user_id=[user], history_item_ids=[history])
        assert {name: values[row] for name, values in together.items()} == {
            name: values[0] for name, values in alone.items()
        }


def test_a_recent_click_changes_the_answer(predict):
    one = np.array([1], np.int32)
    assert predict("retrieval", user_id=["ann"], k=one)["item_ids"] == [[b"a"]]
    clicked = predict("retrieval", user_id=["ann"], k=one, history_item_ids=[["a"]])
    assert clicked["item_ids"] == [[b"b"]]


def test_a_k_above_the_catalogue_size_returns_all_items(predict):
    response = predict(
        "retrieval", k=np.array([2**31 - 1], np.int32), excluded_item_ids=[["a", "b"]]
    )
    assert [len(response[name][0]) for name in ("item_ids", "scores", "stages")] == [5, 5, 5]
    assert response["item_ids"][0][3:] == response["stages"][0][3:] == [b"", b""]
    assert response["scores"][0][3:] == [LOWEST, LOWEST]


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"k": np.array([0], np.int32)}, "k must be at least 1"),
        ({"k": np.array([3, -1], np.int32)}, "k must be at least 1"),
        ({"k": np.int32(3)}, r"input k expects shape \(None,\) but \(\) is provided"),
        (
            {"user_id": ["a", "b"], "now": np.array([1, 2, 3])},
            "user_id has 2 rows and now has 3",
        ),
        ({"history_item_ids": [["a", "b"]], "history_timestamps": np.array([[1]])}, "as long as"),
        ({"users": ["a"]}, "Inputs contains invalid name"),
    ],
)
def test_an_ambiguous_request_is_refused(predict, inputs, message):
    for model in ("retrieval", "recommender"):
        with pytest.raises(grpc.RpcError, match=message) as refused:
            predict(model, **inputs)
        assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT


def test_ranking_requires_candidates_only(predict):
    response = predict("ranking", candidate_item_ids=[["é", "nothing", "a"]])
    assert response["relevance"] == [[5, 0, 1]]
    with pytest.raises(grpc.RpcError, match="candidate_item_ids") as refused:
        predict("ranking", user_id=["ann"])
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT


def test_the_default_time_is_the_servers(predict):
    """The planted rating is log popularity plus 100 times the seconds since second 1."""
    candidates = {"candidate_item_ids": [["a"]]}
    ((then,),) = predict("ranking", now=np.array([3]), **candidates)["rating"]
    assert then == pytest.approx(200.1)
    begin = time.time()
    ((present,),) = predict("ranking", **candidates)["rating"]
    assert present / 100 == pytest.approx(begin, abs=1e5)  # float32's precision at this size


def test_rest_answers_rows_and_columns(post):
    rows = post(
        "recommender", {"instances": [{"user_id": "ann", "k": 2}, {"user_id": "x", "k": 1}]}
    )
    assert rows["predictions"][0] == {
        "item_ids": ["c", "b"],
        "scores": [3.0, 2.0],
        "stages": ["ranking", "ranking"],
        "known_user": True,
    }
    assert rows["predictions"][1]["item_ids"] == ["é", ""]
    assert rows["predictions"][1]["scores"] == [5.0, pytest.approx(float(LOWEST))]
    columns = post("recommender", {"inputs": {"user_id": ["ann"], "k": [1]}})
    assert columns["outputs"]["item_ids"] == [["c"]]
    assert len(post("retrieval", {"inputs": {}})["outputs"]["item_ids"][0]) == 5
    assert len(post("retrieval", {"instances": [{}, {}]})["predictions"]) == 2


def test_rest_requires_rows_of_equal_shape(post):
    with pytest.raises(urllib.error.HTTPError) as refused:
        post("retrieval", {"instances": [{"user_id": "ann"}, {"k": 1}]})
    assert refused.value.code == 400
    assert "whose keys are user_id" in refused.value.read().decode()
