"""Looks up a few Examples that break a rule: statistics know how many, not whose."""

from collections.abc import Callable, Iterator
from itertools import islice

import tensorflow as tf
from tfx_bsl.coders.example_coder import ExamplesToRecordBatchDecoder

from components import schema_rules
from components.counted_values import counted
from components.ingest import examples
from schema import timeline

_FEW = 3
_BATCH = 4096


def offending(
    examples_uri: str, split: str, feature: str, breaks: Callable[[schema_rules.Values], bool]
) -> list[str]:
    """At most three Examples whose values of `feature` (None where it has none) break the rule.

    Each as `user_id 42: 'x'`. Reads only up to the third; timelines count with the events of their
    split alone.
    """
    return list(islice(_matching(examples_uri, split, feature, breaks), _FEW))


def _matching(
    examples_uri: str, split: str, feature: str, breaks: Callable[[schema_rules.Values], bool]
) -> Iterator[str]:
    files = sorted(tf.io.gfile.glob(f"{examples.split_folder(examples_uri, split)}/*"))
    decoder = ExamplesToRecordBatchDecoder()
    for records in tf.data.TFRecordDataset(files, "GZIP").batch(_BATCH).as_numpy_iterator():
        batch = counted(decoder.DecodeBatch(list(records)))
        names = batch.schema.names
        key = timeline.USER_ID if timeline.USER_ID in names else timeline.ITEM_ID
        ids = batch.column(names.index(key)).to_pylist()
        found = batch.column(names.index(feature)).to_pylist() if feature in names else None
        for row, (own,) in enumerate(ids):
            values = found[row] if found else None
            if breaks(values):
                yield f"{key} {schema_rules.as_text(own)}: {_shown(values, breaks)}"


def _shown(values: schema_rules.Values, breaks: Callable[[schema_rules.Values], bool]) -> str:
    """The values that break the rule each for itself; all of them where their number does."""
    if not values:
        return "no value"
    alone = [value for value in values if breaks([value])] if len(values) > 1 else values
    few = ", ".join(schema_rules.as_text(value) for value in (alone or values)[:_FEW])
    more = ", …" if len(alone or values) > _FEW else ""
    return few + more if alone else f"{len(values)} values, {few}{more}"
