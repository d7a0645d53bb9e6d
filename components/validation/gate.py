"""The rules that a table must pass: its schema, drift from the previous data, skew from train."""

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
    """One table of a run. The keys of the dictionaries are splits."""

    name: str
    """interactions or items."""
    examples_uri: str
    schema: schema_pb2.Schema
    statistics: dict[str, Statistics]
    anomalies: dict[str, anomalies_pb2.Anomalies]
    """TFDV's anomalies of each split."""
    before: dict[str, Statistics]
    """Statistics of the previous data; empty if there are none."""


def find_broken_rules(table: GateTable) -> list[Finding]:
    """Returns the broken rules by split: those of the schema, of drift and of skew."""
    findings: list[Finding] = []
    for split, statistics in table.statistics.items():
        validated = ValidatedSplit(table.name, split, table.schema, statistics)
        lookup = functools.partial(find_offending, table.examples_uri, split)
        findings += find_anomalies(table.anomalies[split], validated, lookup)
        if split in table.before:
            findings += find_drift(table.name, split, table.schema, statistics, table.before[split])
        if _TRAIN in table.statistics and split != _TRAIN:
            train = table.statistics[_TRAIN]
            findings += find_skew(table.name, split, table.schema, train, statistics)
    return findings


def find_offending(examples_uri: str, split: str, feature: str, breach: BreachTest) -> list[str]:
    """Returns up to three Examples whose values of `feature` break the rule, such as
    `user_id 42: watch`.

    It stops reading after the third one. Of a timeline only the events of its split count.

    Args:
        examples_uri: URI of the Examples.
        split: Name of the split.
        feature: Name of the feature in the Examples.
        breach: Test of the rule.
    """
    offending = (
        text
        for batch in _read_batches(examples_uri, split)
        for text in _find_in_batch(batch, feature, breach)
    )
    return list(islice(offending, _FEW))


def _read_batches(examples_uri: str, split: str) -> Iterator[pa.RecordBatch]:
    files = sorted(tf.io.gfile.glob(f"{examples.locate_split(examples_uri, split)}/*"))
    decoder = ExamplesToRecordBatchDecoder()
    for records in tf.data.TFRecordDataset(files, "GZIP").batch(_BATCH).as_numpy_iterator():
        yield prepare_batch(decoder.DecodeBatch(list(records)))


def _find_in_batch(batch: pa.RecordBatch, feature: str, breach: BreachTest) -> Iterator[str]:
    names = batch.schema.names
    key = timeline.USER_ID if timeline.USER_ID in names else timeline.ITEM_ID
    ids = batch.column(names.index(key)).to_pylist()
    # A feature that no Example of the batch has is not a column of the batch.
    values = (
        batch.column(names.index(feature)).to_pylist() if feature in names else [None] * len(ids)
    )
    for (identifier,), own_values in zip(ids, values, strict=True):
        text = breach(own_values)
        if text:
            yield f"{key} {format_value(identifier)}: {text}"
