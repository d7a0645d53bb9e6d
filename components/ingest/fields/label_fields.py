"""The fields of labels: which events are positive, their weights, and the labels of ranking."""

import functools

from components.ingest.fields.event_kinds import (
    convert_count_weights,
    convert_event_kinds,
    convert_kind_weights,
)
from components.ingest.fields.feature_fields import build_number, build_text
from components.ingest.fields.kinds import (
    convert_matches,
    convert_numbers,
    convert_positive_matches,
    convert_positives,
    mark_all_positive,
)
from components.ingest.fields.table_spec import Field
from schema import timeline
from schema.labels import Events, Labels, Positive, RankingLabel


def build_label_fields(labels: Labels, user_id: Field) -> list[Field]:
    """Builds positive, weight (if the labels have weights) and label_*; `user_id` is the field of a
    column that every table has.
    """
    positive = (
        _build_positive(labels.positive, user_id)
        if labels.events is None
        else _build_event_kind(labels.events)
    )
    ranking = [_build_label(name, label) for name, label in labels.ranking.items()]
    return [positive, *_build_weights(labels), *ranking]


def _build_positive(rule: Positive | None, user_id: Field) -> Field:
    """Without a rule it reads the column of `user_id`, which every table has."""
    if rule is None:
        return user_id._replace(name=timeline.POSITIVE, convert=mark_all_positive, others=())
    key = "labels.positive.column"
    if rule.at_least is not None:
        convert = functools.partial(convert_positives, at_least=rule.at_least)
        field = build_number(timeline.POSITIVE, rule.column, convert, key)
    else:
        assert rule.is_in is not None, "expected at_least or is_in"
        convert = functools.partial(convert_positive_matches, is_in=rule.is_in)
        field = build_text(timeline.POSITIVE, rule.column, convert, key)
    return field._replace(absent=0)


def _build_event_kind(events: Events) -> Field:
    convert = functools.partial(convert_event_kinds, events=events)
    field = build_text(timeline.POSITIVE, events.column, convert, "labels.events.column")
    return field._replace(absent=0)


def _build_weights(labels: Labels) -> list[Field]:
    """The field of weights, or none."""
    if labels.weight is not None:
        convert = functools.partial(convert_count_weights, weight=labels.weight)
        key = "labels.weight.column"
        field = build_number(timeline.WEIGHT, labels.weight.column, convert, key)
        return [field._replace(expects="a number, 0 or more", absent=1.0)]
    if labels.events is None or not labels.events.has_weights:
        return []
    convert = functools.partial(convert_kind_weights, weights=labels.events.positive)
    return [build_text(timeline.WEIGHT, labels.events.column, convert, "labels.events.column")]


def _build_label(name: str, label: RankingLabel) -> Field:
    key, own = f"labels.ranking.{name}.column", timeline.name_label(name)
    if label.is_in is None:
        return build_number(own, label.column, convert_numbers, key)
    return build_text(own, label.column, functools.partial(convert_matches, is_in=label.is_in), key)
