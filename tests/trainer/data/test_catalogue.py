"""The catalogue, read from the items' Transform into arrays by index."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam
from tensorflow_transform.tf_metadata import dataset_metadata

from schema import tfdv_schema
from schema.dataset import Dataset
from trainer.data.catalogue import load_catalogue
from trainer.data.preprocessing import preprocess_items

DATASET = Dataset.model_validate(
    {
        "data": {
            "interactions": {"path": "events.csv"},
            "items": {"path": "items.csv", "available": "sold", "filter": "tags"},
        },
        "features": {"items": {"tags": {"kind": "set", "min_count": 2}}},
    }
)
# Rare tags have no separate index, but requests may still filter by them.
ITEMS = {
    b"b": (b"Bee", 0, [b"tin", b"tea"]),
    b"c": (b"Sea", 1, []),
    b"a": (b"Ey", 1, ["Éclair".encode(), b"tea"]),
}


def _example(row):
    """A transformed row as Transform writes it: each value under its key."""
    example = tf.train.Example()
    for key, values in row.items():
        feature, array = example.features.feature[key], np.atleast_1d(values)
        if array.dtype.kind in "iu":
            feature.int64_list.value.extend(array)
        else:
            feature.bytes_list.value.extend(array)
    return example.SerializeToString()


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("items")
    metadata = dataset_metadata.DatasetMetadata(tfdv_schema.build_items(DATASET))
    rows = [
        {"item_id": item, "title": [title], "available": available, "item_tags": tags}
        for item, (title, available, tags) in ITEMS.items()
    ]
    custom = {"dataset": DATASET.model_dump_json()}
    with tft_beam.Context(temp_dir=str(folder / "tmp")):
        (result, _), transform = (rows, metadata) | tft_beam.AnalyzeAndTransformDataset(
            lambda inputs: preprocess_items(inputs, custom)
        )
        transform | tft_beam.WriteTransformFn(str(folder / "graph"))
    (folder / "Split-all").mkdir()
    file = str(folder / "Split-all" / "part.gz")
    with tf.io.TFRecordWriter(file, tf.io.TFRecordOptions("GZIP")) as writer:
        for row in result:
            writer.write(_example(row))
    graph = tft.TFTransformOutput(str(folder / "graph"))
    return load_catalogue(str(folder), graph, DATASET)


def test_every_item_is_at_its_index_with_its_features(loaded):
    assert loaded.size == 3
    assert loaded.item_ids[0] == b""
    assert (loaded.available[0].as_py(), loaded.filters[0].as_py()) == (False, [])
    result = {
        item: (title, available, tags)
        for item, title, available, tags in zip(
            loaded.item_ids[1:],
            loaded.titles[1:],
            loaded.available[1:].to_pylist(),
            loaded.filters[1:].to_pylist(),
            strict=True,
        )
    }
    assert result == {
        item: (t, bool(available), tags) for item, (t, available, tags) in ITEMS.items()
    }
