"""Everything that the gate holds a table against: its schema, its earlier splits, its past."""

import functools
from typing import NamedTuple

from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2

from components import offending_examples
from components.validation import anomalies, drift
from components.validation.anomalies import Validated
from components.validation.drift import Statistics
from components.validation.findings import Finding
from schema import timeline

_TRAIN = timeline.SPLITS[0]


class Table(NamedTuple):
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


def check(table: Table) -> list[Finding]:
    """Broken rules, split by split: of the schema, of drift, of skew against train."""
    found: list[Finding] = []
    for split, statistics in table.statistics.items():
        validated = Validated(table.name, split, table.schema, statistics)
        lookup = functools.partial(offending_examples.offending, table.examples_uri, split)
        found += anomalies.findings(table.anomalies[split], validated, lookup)
        if split in table.before:
            found += drift.drift(table.name, split, table.schema, statistics, table.before[split])
        if _TRAIN in table.statistics and split != _TRAIN:
            train = table.statistics[_TRAIN]
            found += drift.skew(table.name, split, table.schema, train, statistics)
    return found
