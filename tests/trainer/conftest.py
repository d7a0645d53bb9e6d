"""Planted timelines and Examples, small enough to compute results by hand."""

import types

import numpy as np
import pytest

from schema import tfdv_schema
from schema.dataset import Dataset
from trainer.data.timelines import Timelines


def _timelines(rows, positive=None, labels=None, context=None, users=None):
    """`rows` are (user id, user index, item indices, timestamps, target_from), one per timeline.
    Without `positive` [e], every event is positive.
    """
    lengths = [len(items) for _, _, items, _, _ in rows]
    item_index = np.concatenate([np.array(items, np.int32) for _, _, items, _, _ in rows])
    return Timelines(
        user_ids=np.array([user for user, *_ in rows], object),
        user_index=np.array([index for _, index, *_ in rows], np.int32),
        row_splits=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        target_from=np.array([target for *_, target in rows], np.int64),
        item_index=item_index,
        timestamps=np.concatenate([np.array(times, np.int64) for *_, times, _ in rows]),
        positive=np.ones(len(item_index), bool) if positive is None else np.array(positive, bool),
        labels={name: np.array(values, np.float32) for name, values in (labels or {}).items()},
        context=context or {},
        users=users or {},
    )


@pytest.fixture(scope="session")
def timelines_of():
    return _timelines


DATASET = Dataset.model_validate(
    {
        "data": {
            "interactions": {"path": "events.csv"},
            "items": {"path": "items.csv", "title": "name"},
            "users": {"path": "users.csv"},
        },
        "features": {
            "items": {
                "name": {"kind": "text"},
                "genres": {"kind": "set"},
                "studio": {"kind": "category", "min_count": 2},
                "price": {"kind": "number"},
                "cover": {"kind": "vector", "size": 2},
            },
            "users": {"region": {"kind": "category"}},
            "context": {
                "device": {"kind": "category"},
                "basket": {"kind": "number"},
                "since": {"kind": "timestamp"},
            },
        },
        "labels": {"ranking": {"rating": {"column": "rating", "kind": "regression"}}},
    }
)

ITEMS = [
    {
        "item_id": b"a",
        "title": [b"Heat"],
        "item_name": [b"Heat (1995)"],
        "item_genres": [b"crime", b"drama"],
        "item_studio": [b"x"],
        "item_price": [1.0],
        "item_cover": [0.5, -0.5],
    },
    {
        "item_id": b"b",
        "title": [],
        "item_name": [b"HEAT, the Sequel"],
        "item_genres": [b"crime"],
        "item_studio": [b"x"],
        "item_price": [3.0],
        "item_cover": [],
    },
    {
        "item_id": b"c",
        "title": [],
        "item_name": [],
        "item_genres": [],
        "item_studio": [b"y"],
        "item_price": [],
        "item_cover": [1.0, 2.0],
    },
]

TIMELINES = [
    {
        "user_id": b"u",
        "target_from": 1,
        "item_ids": [b"a", b"zz", b"b"],
        "timestamps": [1, 2, 3],
        "positive": [1, 0, 1],
        "label_rating": [5.0, np.nan, 3.0],
        "context_device": [b"phone", b"", b"web"],
        "context_basket": [2.0, np.nan, 6.0],
        "context_since": [86_400, 0, 3 * 86_400],
        "user_region": [b"north"],
    },
    {
        "user_id": b"v",
        "target_from": 0,
        "item_ids": [b"c"],
        "timestamps": [9],
        "positive": [1],
        "label_rating": [1.0],
        "context_device": [b"phone"],
        "context_basket": [4.0],
        "context_since": [2 * 86_400],
        "user_region": [],
    },
]


def _transformed(rows, schema, preprocess, folder):
    """Rows from the Transform, and its graph. Beam is imported here, only for tests that need
    it.
    """
    import tensorflow_transform as tft
    import tensorflow_transform.beam as tft_beam
    from tensorflow_transform.tf_metadata import dataset_metadata, metadata_io

    metadata = dataset_metadata.DatasetMetadata(schema)
    analyse = tft_beam.AnalyzeAndTransformDataset(
        lambda inputs: preprocess(inputs, {"dataset": DATASET.model_dump_json()})
    )
    with tft_beam.Context(temp_dir=str(folder)):
        (output, _), transform = (rows, metadata) | analyse
        transform | tft_beam.WriteTransformFn(str(folder / "graph"))
    metadata_io.write_metadata(metadata, str(folder / "graph" / "metadata"))
    return output, tft.TFTransformOutput(str(folder / "graph"))


@pytest.fixture(scope="session")
def planted(tmp_path_factory: pytest.TempPathFactory):
    """A catalogue of three items and two timelines, raw and transformed."""
    from trainer.data.preprocessing import preprocess_items, preprocess_timelines

    items_out, items_graph = _transformed(
        ITEMS,
        tfdv_schema.build_items(DATASET),
        preprocess_items,
        tmp_path_factory.mktemp("items"),
    )
    timelines_out, timelines_graph = _transformed(
        TIMELINES,
        tfdv_schema.build_interactions(DATASET),
        preprocess_timelines,
        tmp_path_factory.mktemp("timelines"),
    )
    return types.SimpleNamespace(
        dataset=DATASET,
        items=ITEMS,
        timelines=TIMELINES,
        items_out=items_out,
        items_graph=items_graph,
        timelines_out=timelines_out,
        timelines_graph=timelines_graph,
    )
