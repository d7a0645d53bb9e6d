"""Warmup files: written, replayed, and refused before a version serves."""

import grpc
import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

from schema.candidates import to_text_array
from serving.graph.warmup_requests import build_warmup_requests, write_warmup_requests
from serving.protocol.errors import RequestError
from serving.server import warmup
from serving.server.metrics import Metrics
from serving.server.model_config import WatchedModel
from serving.server.model_store import ModelStore
from serving.server.servable import load_servable
from serving.server.served_versions import State
from serving.versions.local import LocalVersionStore

FILE = "assets.extra/tf_serving_warmup_requests"


class Counting(tf.Module):
    """Counts its calls, and refuses negative numbers."""

    def __init__(self):
        super().__init__()
        self.calls = tf.Variable(0)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int64, name="n")])
    def serve(self, n):
        tf.debugging.assert_non_negative(n, "n must not be negative")
        return {"calls": tf.identity(self.calls.assign_add(1))}


def build_request(n):
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "counting"
    request.inputs["n"].CopyFrom(tf.make_tensor_proto(np.array([n], np.int64)))
    return request


def write_records(folder, records):
    (folder / "assets.extra").mkdir()
    with tf.io.TFRecordWriter(str(folder / FILE)) as writer:
        for record in records:
            writer.write(record)


@pytest.fixture
def serving_dir(tmp_path):
    module = Counting()
    tf.saved_model.save(module, str(tmp_path / "model"), signatures=module.serve)
    for _ in range(2):
        LocalVersionStore(tmp_path / "serving").push({"counting": tmp_path / "model"})
    return tmp_path / "serving"


@pytest.fixture
def folder(serving_dir):
    return serving_dir / "counting" / "2"


@pytest.fixture
def start_store(serving_dir):
    def start():
        store = ModelStore(lambda: [WatchedModel("counting", serving_dir / "counting")])
        store.start()
        return store

    return start


def test_a_version_answers_its_warmup_before_it_serves(start_store, folder):
    write_warmup_requests(folder, [build_request(3), build_request(0), build_request(5)])
    store = start_store()
    with store.served.using(build_request(0).model_spec) as loaded:
        answer = loaded.predict("", {"n": np.array([1])})
    assert (loaded.version, int(answer["calls"])) == (2, 4)


def test_output_has_tensorflow_servings_format(folder):
    write_warmup_requests(folder, [build_request(3)])
    (record,) = tf.data.TFRecordDataset(str(folder / FILE)).as_numpy_iterator()
    log = prediction_log_pb2.PredictionLog.FromString(record)
    assert log.predict_log.request == build_request(3)


def test_a_version_without_a_file_serves(folder):
    assert warmup.replay(load_servable("counting", 2, folder), folder, Metrics()) == 0


def test_a_version_that_refuses_its_warmup_is_refused(start_store, folder):
    write_warmup_requests(folder, [build_request(3), build_request(-1)])
    store = start_store()
    assert store.served.available() == {"counting": 1}
    state = store.served.states("counting")[2]
    assert (state.state, state.code) == (State.END, grpc.StatusCode.INVALID_ARGUMENT)
    assert "warmup record 2 of" in state.message
    assert "n must not be negative" in state.message


@pytest.mark.parametrize(
    ("records", "code", "message"),
    [
        ([b"\xff\xff"], "INVALID_ARGUMENT", "Failed to parse warmup record"),
        ([b""] * 1001, "INVALID_ARGUMENT", r"exceeds the maximum \(1000\)"),
        (
            [
                prediction_log_pb2.PredictionLog(
                    session_run_log=prediction_log_pb2.SessionRunLog()
                ).SerializeToString()
            ],
            "UNIMPLEMENTED",
            "Unsupported log_type for warmup record 1 of .*: session_run_log",
        ),
    ],
)
def test_records_that_are_refused(folder, records, code, message):
    write_records(folder, records)
    with pytest.raises(RequestError, match=message) as error:
        warmup.replay(load_servable("counting", 2, folder), folder, Metrics())
    assert error.value.code.name == code


def test_a_file_in_another_format_is_refused(folder):
    (folder / "assets.extra").mkdir()
    (folder / FILE).write_bytes(b"these are no records")
    with pytest.raises(RequestError, match="verify your warmup data is in TFRecord") as error:
        warmup.replay(load_servable("counting", 2, folder), folder, Metrics())
    assert error.value.code == grpc.StatusCode.DATA_LOSS


SPECS = {
    "user_id": tf.TensorSpec([None], tf.string),
    "history_item_ids": tf.TensorSpec([None, None], tf.string),
    "history_timestamps": tf.TensorSpec([None, None], tf.int64),
    "now": tf.TensorSpec([None], tf.int64),
    "context_device": tf.TensorSpec([None], tf.string),
}
LISTING = SPECS | {
    "excluded_item_ids": tf.TensorSpec([None, None], tf.string),
    "k": tf.TensorSpec([None], tf.int32),
}
RANKING = SPECS | {"candidate_item_ids": tf.TensorSpec([None, None], tf.string)}


def items(count):
    return to_text_array([f"i{number}" for number in range(count)])


def arrays(request):
    return {alias: tf.make_ndarray(proto) for alias, proto in request.inputs.items()}


def test_requests_for_a_catalogue():
    least, new, one, ten = build_warmup_requests("retrieval", LISTING, items(19), now=100_000)
    assert least.model_spec.name == new.model_spec.name == "retrieval"
    assert set(least.inputs) == {"now"}
    assert set(new.inputs) == set(LISTING) - {"context_device"}
    assert arrays(new)["history_item_ids"].shape == (1, 0)
    assert arrays(new)["k"].tolist() == [10]
    assert arrays(one)["history_item_ids"].tolist() == [[b"i0"]]
    assert arrays(ten)["history_item_ids"].tolist() == [[f"i{2 * n}".encode() for n in range(10)]]
    assert arrays(ten)["history_timestamps"].tolist() == [
        [64_000, 67_600, 71_200, 74_800, 78_400, 82_000, 85_600, 89_200, 92_800, 96_400]
    ]


def test_requests_to_ranking_contain_candidates():
    requests = build_warmup_requests("ranking", RANKING, items(300), now=1)
    assert len(requests) == 5
    assert set(requests[0].inputs) == {"now", "candidate_item_ids"}
    assert all(set(request.inputs) == set(RANKING) - {"context_device"} for request in requests[1:])
    assert arrays(requests[1])["candidate_item_ids"].shape == (1, 100)


def test_an_empty_catalogue_has_requests_of_a_new_user_only():
    _, new = build_warmup_requests("ranking", RANKING, pa.array([], pa.large_binary()), now=1)
    assert arrays(new)["candidate_item_ids"].shape == (1, 0)
