"""The rules that a table must pass: its schema, drift since the last data, skew to train."""

import functools
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

import pyarrow as pa
import tensorflow as tf
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2
from tfx_bsl.coders.example_coder import ExamplesToRecordBatchDecoder

from components.ingest.output import examples
from components.validation.anomalies import ValidatedSplit, find_anomalies
from components.validation.drift import Statistics, find_drift, find_skew
from components.validation.findings import Finding
from components.validation.schema_rules import BreachTest, format_value
from components.validation.split_statistics import prepare_batch
from schema import timeline

_TRAIN = timeline.SPLITS[0]
_FEW = 3
_BATCH = 4096


class GateTable(NamedTuple):
    """One table of a run. Keys of the dictionaries are splits."""

    name: str
    """interactions or items."""
    examples_uri: str
    schema: schema_pb2.Schema
    statistics: dict[str, Statistics]
    anomalies: dict[str, anomalies_pb2.Anomalies]
    """What TFDV finds of each split alone."""
    before: dict[str, Statistics]
    """Statistics of the previous data; empty where there are none."""


def find_broken_rules(table: GateTable) -> list[Finding]:
    """Broken rules, split by split: of the schema, of drift, of skew against train."""
    found: list[Finding] = []
    for split, statistics in table.statistics.items():
        validated = ValidatedSplit(table.name, split, table.schema, statistics)
        lookup = functools.partial(find_offending, table.examples_uri, split)
        found += find_anomalies(table.anomalies[split], validated, lookup)
        if split in table.before:
            found += find_drift(table.name, split, table.schema, statistics, table.before[split])
        if _TRAIN in table.statistics and split != _TRAIN:
            train = table.statistics[_TRAIN]
            found += find_skew(table.name, split, table.schema, train, statistics)
    return found


def find_offending(examples_uri: str, split: str, feature: str, breach: BreachTest) -> list[str]:
    """At most three Examples whose values of `feature` break the rule, as `user_id 42: watch`.

    Reads no further than the third; timelines count with the events of their split alone.
    """
    found = (
        text
        for batch in _read_batches(examples_uri, split)
        for text in _find_in_batch(batch, feature, breach)
    )
    return list(islice(found, _FEW))


def _read_batches(examples_uri: str, split: str) -> Iterator[pa.RecordBatch]:
    files = sorted(tf.io.gfile.glob(f"{examples.locate_split(examples_uri, split)}/*"))
    decoder = ExamplesToRecordBatchDecoder()
    for records in tf.data.TFRecordDataset(files, "GZIP").batch(_BATCH).as_numpy_iterator():
        yield prepare_batch(decoder.DecodeBatch(list(records)))


def _find_in_batch(batch: pa.RecordBatch, feature: str, breach: BreachTest) -> Iterator[str]:
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
            yield f"{key} {format_value(own)}: {text}"
