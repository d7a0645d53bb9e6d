import tracemalloc

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import tensorflow as tf

from schema.candidates import Candidates, to_text_array
from schema.errors import DataRefused
from serving.graph.item_table import ItemTable

MANY = 200_000


def _candidates(ids):
    array = to_text_array(ids)
    vectors = np.stack([np.zeros(len(array)), np.arange(len(array)) / 10], 1).astype(np.float32)
    return Candidates(array, array, vectors, vectors[:, 0], vectors[:0])


def _table(ids):
    return ItemTable(_candidates(ids))


def test_ids_map_to_positions_and_back():
    table = _table(["a", "b", "c", 'q"u,o\tt', "é"])
    positions = table.positions(tf.constant([["é", "nothing"], ["", "a"]]))
    assert positions.numpy().tolist() == [[5, 0], [0, 1]]
    assert positions.dtype == tf.int32
    assert table.ids(positions).numpy().tolist() == [["é".encode(), b""], [b"", b"a"]]
    assert table.ids([4]).numpy().tolist() == [b'q"u,o\tt']
    np.testing.assert_allclose(table.log_popularity(positions), [[0.4, 0], [0, 0]])


def test_ids_of_many_kilobytes_are_found_when_saved_and_loaded(tmp_path):
    module = tf.Module()
    module.table = _table(["x" * 20_000, "a", "x" * 19_999])
    spec = tf.TensorSpec([None], tf.string)
    module.positions = tf.function(module.table.positions, input_signature=[spec])
    module.ids = tf.function(module.table.ids, input_signature=[tf.TensorSpec([None], tf.int32)])
    tf.saved_model.save(module, str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))
    result = loaded.positions(tf.constant(["x" * 19_999, "x" * 20_000, "x" * 500]))
    assert result.numpy().tolist() == [3, 1, 0]
    assert loaded.ids(result).numpy().tolist() == [b"x" * 19_999, b"x" * 20_000, b""]


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (["a", "b", "a"], r"received 1 ids that repeat \(b'a'\)"),
        (["a", ""], "received b''"),
        (["a", "b\nc"], r"received b'b\\nc'"),
        ([], "received none"),
    ],
)
def test_invalid_ids_are_refused(ids, message):
    with pytest.raises(DataRefused, match=message):
        _table(ids)


def test_items_are_not_stored_as_python_objects():
    """A Python bytes object takes more than 50 bytes of memory."""
    ids = pc.cast(pa.array(np.arange(MANY)), pa.string()).cast(pa.large_binary())
    planted = _candidates(ids)
    tracemalloc.start()
    table = ItemTable(planted)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert table.ids([MANY]).numpy().tolist() == [b"%d" % (MANY - 1)]
    assert peak < 25 * MANY
