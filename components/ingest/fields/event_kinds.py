"""Kinds of events and counts -> which events are positive, and their weights."""

from collections import Counter
from collections.abc import Collection, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.ingest.fields.coercion import coerce_texts
from components.ingest.fields.conversion import add_constants, convert_field
from components.ingest.fields.converted import ConvertedColumn
from components.ingest.fields.kinds import convert_numbers
from components.ingest.fields.number_form import PLAIN, NumberForm
from components.ingest.fields.rows.elements import repeat_values
from components.ingest.fields.table_spec import TableSpec
from components.ingest.read.records import NEGATIVE_NUMBER, WRONG_KIND, Records, Values
from schema.labels import CountWeight, Events

_MAX_UNNAMED = 20
_MAX_CHARACTERS = 60


def drop_ignored_events(records: Records, spec: TableSpec) -> Records:
    """Drops events of ignored kinds, which may lack an id or a time: nothing else in them is read
    or rejected.
    """
    if spec.required is None:
        return records
    kind = next(field for field in spec.fields if field.name == spec.required)
    flags = convert_field(kind, add_constants(records, spec), spec.source).array
    if not flags.null_count:
        return records
    used = np.flatnonzero(flags.is_valid().to_numpy(zero_copy_only=False))
    columns = {name: repeat_values(values, used) for name, values in records.columns.items()}
    return records._replace(columns=columns, index=records.index[used])


def convert_event_kinds(values: Values, events: Events) -> ConvertedColumn:
    """int64: 1 for a positive kind, null for an ignored one, 0 for any other and a missing one.

    The number of events of each other kind, "" for a missing one, is counted; of many kinds in one
    block only the most frequent ones are.
    """
    text, wrong = _coerce_kinds(values)
    positive, ignored = (_match(text, kinds) for kinds in (events.positive, events.ignore))
    flags = pa.array(positive.astype(np.int64), mask=ignored)
    unnamed = _count_kinds(text.filter(pa.array(~positive & ~ignored & ~wrong)))
    return ConvertedColumn(flags, [(WRONG_KIND, wrong)], unnamed=unnamed)


def convert_kind_weights(values: Values, weights: Mapping[str, float]) -> ConvertedColumn:
    """float64: the weight of each event's kind, 0 for kinds without a weight."""
    text, _ = _coerce_kinds(values)
    kind = pc.index_in(text, value_set=pa.array(list(weights), pa.large_string()))
    by_kind = pa.array(list(weights.values()), pa.float64())
    return ConvertedColumn(pc.fill_null(by_kind.take(kind), 0.0), [])


def convert_count_weights(
    values: Values, weight: CountWeight, form: NumberForm = PLAIN
) -> ConvertedColumn:
    """float64: 1 + alpha × ln(1 + count), or 1 + alpha × count without damping; 1 without a count.

    Source: Hu, Koren and Volinsky, Collaborative filtering for implicit feedback datasets, ICDM
    2008, equation 6 with epsilon 1, and the confidence before it.
    """
    counts = convert_numbers(values, form)
    numbers = pc.fill_null(counts.array, 0.0).to_numpy()
    negative = numbers < 0
    bounded = np.maximum(numbers, 0.0)
    damped = np.log1p(bounded) if weight.damping == "log" else bounded
    weights = pa.array(1.0 + weight.alpha * damped)
    return ConvertedColumn(weights, [*counts.faults, (NEGATIVE_NUMBER, negative)])


def _coerce_kinds(values: Values) -> tuple[pa.Array, np.ndarray]:
    text, wrong = coerce_texts(values)
    return pc.utf8_trim_whitespace(text), wrong


def _match(text: pa.Array, kinds: Collection[str]) -> np.ndarray:
    """bool [n]: whether the text is one of `kinds`; false where it is null."""
    known = pa.array(list(kinds), pa.large_string())
    return pc.is_in(text, value_set=known).to_numpy(zero_copy_only=False)


def _count_kinds(text: pa.Array) -> Counter[str]:
    counted = pc.value_counts(text).to_pylist()
    most = sorted(counted, key=lambda each: -each["counts"])[:_MAX_UNNAMED]
    kinds: Counter[str] = Counter()
    for each in most:
        kinds[(each["values"] or "")[:_MAX_CHARACTERS]] += each["counts"]
    return kinds
