"""Looks up a few Examples that break a rule: statistics know how many, not whose."""

from collections.abc import Iterator
from itertools import islice

import pyarrow as pa
import tensorflow as tf
from tfx_bsl.coders.example_coder import ExamplesToRecordBatchDecoder

from components.counted_values import counted
from components.ingest.output import examples
from components.validation.schema_rules import Breach, as_text
from schema import timeline

_FEW = 3
_BATCH = 4096


def offending(examples_uri: str, split: str, feature: str, breach: Breach) -> list[str]:
    """At most three Examples whose values of `feature` break the rule, as `user_id 42: watch`.

    Reads no further than the third; timelines count with the events of their split alone.
    """
    found = (
        text
        for batch in _batches(examples_uri, split)
        for text in _of_batch(batch, feature, breach)
    )
    return list(islice(found, _FEW))


def _batches(examples_uri: str, split: str) -> Iterator[pa.RecordBatch]:
    files = sorted(tf.io.gfile.glob(f"{examples.split_folder(examples_uri, split)}/*"))
    decoder = ExamplesToRecordBatchDecoder()
    for records in tf.data.TFRecordDataset(files, "GZIP").batch(_BATCH).as_numpy_iterator():
        yield counted(decoder.DecodeBatch(list(records)))


def _of_batch(batch: pa.RecordBatch, feature: str, breach: Breach) -> Iterator[str]:
    names = batch.schema.names
    key = timeline.USER_ID if timeline.USER_ID in names else timeline.ITEM_ID
    ids = batch.column(names.index(key)).to_pylist()
    # A feature that no Example of the batch has is no column of it.
    values = (
        batch.column(names.index(feature)).to_pylist() if feature in names else [None] * len(ids)
    )
    for (own,), found in zip(ids, values, strict=True):
        text = breach(found)
        if text:
            yield f"{key} {as_text(own)}: {text}"
