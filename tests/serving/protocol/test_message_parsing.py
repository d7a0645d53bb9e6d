"""Fields counted on the wire, compared with the messages that protobuf serialized."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tensorflow.core.framework import tensor_pb2
from tensorflow_serving.apis import predict_pb2

from serving.protocol.message_parsing import has_more_fields

PREDICT = predict_pb2.PredictRequest.DESCRIPTOR


def with_tensor(tensor):
    request = predict_pb2.PredictRequest()
    request.inputs["x"].CopyFrom(tensor)
    return request.SerializeToString()


STRINGS = with_tensor(tensor_pb2.TensorProto(dtype=7, string_val=[b""] * 5000))
OUTER = 3 + 1  # the entry, its key and its value; the type of the tensor


def test_each_string_is_a_field():
    assert not has_more_fields(STRINGS, PREDICT, 5000 + OUTER)
    assert has_more_fields(STRINGS, PREDICT, 4999)


@pytest.mark.parametrize("tag", [0x12, 0x1A, 0x42, 0x72, 0x7A])
def test_empty_messages_are_counted(tag):
    """Entries of maps, filters, strings, resources and variants, at the levels that have them."""
    body = bytes([tag, 0]) * 4000
    if tag in (0x42, 0x72, 0x7A):  # in a tensor, in an entry
        for _ in range(2):
            body = bytes([0x12, len(body) & 127 | 128, len(body) >> 7]) + body
    assert has_more_fields(body, PREDICT, 3999)
    assert not has_more_fields(body, PREDICT, 4002)


@pytest.mark.parametrize("number", [0x12, 0x0A, 0x42])
def test_numbers_that_look_like_fields_are_one_field(number):
    content = number.to_bytes(4, "little") * 10_000
    for tensor in (
        tensor_pb2.TensorProto(dtype=3, tensor_content=content),
        tensor_pb2.TensorProto(dtype=3, int_val=[number] * 10_000),
        tensor_pb2.TensorProto(dtype=7, string_val=[content]),
    ):
        assert not has_more_fields(with_tensor(tensor), PREDICT, 10)


@given(st.binary(max_size=300), st.integers(0, 20))
def test_counting_ends_for_any_bytes(message, most):
    assert has_more_fields(message, PREDICT, most) in (True, False)
    assert not has_more_fields(message, PREDICT, len(message) // 2)


TEXTS = st.text(st.characters(codec="utf-8", min_codepoint=32), max_size=3)  # of 12 bytes at most


@given(st.lists(TEXTS, max_size=60), st.lists(TEXTS, max_size=9))
def test_texts_are_counted_with_little_overhead(strings, filters):
    request = predict_pb2.PredictRequest(output_filter=filters)
    request.inputs["x"].string_val.extend(text.encode() for text in strings)
    fields = len(strings) + len(filters)
    message = request.SerializeToString()
    assert fields == 0 or has_more_fields(message, PREDICT, fields - 1)
    assert not has_more_fields(message, PREDICT, fields + 6)  # the input, its entry, its name
