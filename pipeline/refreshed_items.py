"""Accepted items through the pushed candidate tower."""

import pathlib
from typing import Any

import numpy as np
import pyarrow as pa
import tensorflow as tf

from components.ingest import examples
from schema import refreshing, timeline
from schema.candidates import text_array
from schema.errors import DataRefused
from serving import servable
from serving.refreshed_candidates import NewItems

_ROWS = 4096


def of(records: pa.Table, candidates_uri: str) -> NewItems:
    """`records` of `components.ingest.refreshing.read_items`, as the catalogue takes them up.

    Raises DataRefused where a vector is no number.
    """
    return NewItems(
        item_ids=text_array(records[timeline.ITEM_ID]),
        titles=text_array(records[timeline.TITLE]),
        vectors=_vectors(records, candidates_uri),
        available=None,
        filters=None,
    )


def _vectors(records: pa.Table, candidates_uri: str) -> np.ndarray:
    """[m, dim]."""
    tower = _tower(candidates_uri)
    parts = [_of(tower, records.slice(n, _ROWS)) for n in range(0, records.num_rows, _ROWS)]
    found = np.concatenate(parts)
    bad = np.flatnonzero(~np.isfinite(found).all(axis=1))
    if len(bad):
        first = records[timeline.ITEM_ID][int(bad[0])].as_py()
        raise DataRefused(
            f"items: expected features that have a vector, received {len(bad)} items whose vector "
            f"is no number, the first being {first!r}; look for extreme numbers among its features"
        )
    return found


def _tower(candidates_uri: str) -> Any:
    folder = pathlib.Path(refreshing.tower_folder(candidates_uri))
    return servable.load(folder.name, 1, folder).saved_model


def _of(tower: Any, records: pa.Table) -> np.ndarray:
    return tower.vectors(tf.constant(examples.encoded(records))).numpy()
