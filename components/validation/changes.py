"""Descriptions of the differences between new and previous data, from their statistics."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from components.validation.drift import Statistics
from components.validation.feature_statistics import (
    FeatureStatistics,
    compute_present_fraction,
    count_examples,
    count_values,
    get_common,
    index_features,
    is_numeric,
)
from components.validation.schema_rules import format_percent

_FEW_VALUES = 100
_SHOWN = 5


class Change(NamedTuple):
    """One difference."""

    table: str
    split: str
    feature: str
    """`*` for the split as a whole."""
    change: str

    def __str__(self) -> str:
        return f"{self.table}/{self.split}: {self.feature}: {self.change}"


def find_changes(table: str, split: str, before: Statistics, now: Statistics) -> list[Change]:
    """Returns the changes of one split: the number of Examples, added and removed features, then
    for each feature new values, numbers beyond the previous range, another share of Examples with
    the feature, and new numbers of values.

    Args:
        table: interactions or items.
        split: Name of the split.
        before: Statistics of the previous data.
        now: Statistics of the new data.
    """
    changes = []
    counts = [count_examples(each) for each in (before, now)]
    if counts[0] != counts[1]:
        changes.append(("*", f"{counts[0]:,} → {counts[1]:,} Examples"))
    old, new = index_features(before), index_features(now)
    changes += [(name, "a new feature") for name in sorted(new.keys() - old)]
    changes += [(name, "removed") for name in sorted(old.keys() - new)]
    for name in sorted(old.keys() & new):
        changes += [(name, text) for text in _compare_features(old[name], new[name])]
    return [Change(table, split, name, text) for name, text in changes]


def _compare_features(before: FeatureStatistics, now: FeatureStatistics) -> Iterator[str]:
    yield from _compare_presence(before, now)
    yield from _compare_valency(before, now)
    if is_numeric(before) and is_numeric(now):
        yield from _compare_ranges(before, now)
    else:
        yield from _compare_values(before, now)


def _compare_presence(before: FeatureStatistics, now: FeatureStatistics) -> Iterator[str]:
    fractions = [compute_present_fraction(each) for each in (before, now)]
    old, new = map(format_percent, fractions)
    if old != new:
        yield f"present in {old} → {new} of the Examples"


def _compare_valency(before: FeatureStatistics, now: FeatureStatistics) -> Iterator[str]:
    """A change only if the new range of numbers of values is not within the old one."""
    old, new = get_common(before), get_common(now)
    if new.min_num_values < old.min_num_values or new.max_num_values > old.max_num_values:
        yield f"{_format_span(old)} → {_format_span(new)} values each"


def _format_span(common: Any) -> str:
    least, most = common.min_num_values, common.max_num_values
    return f"{least:,}" if least == most else f"{least:,} to {most:,}"


def _compare_ranges(before: FeatureStatistics, now: FeatureStatistics) -> Iterator[str]:
    old, new = before.num_stats, now.num_stats
    if new.min < old.min:
        yield f"smallest {old.min:,.6g} → {new.min:,.6g}"
    if new.max > old.max:
        yield f"largest {old.max:,.6g} → {new.max:,.6g}"


def _compare_values(before: FeatureStatistics, now: FeatureStatistics) -> Iterator[str]:
    """The values if there are few; only their number if there are many, as for ids and titles."""
    unique = [each.string_stats.unique for each in (before, now)]
    if max(unique) > _FEW_VALUES:
        if unique[0] != unique[1]:
            yield f"{unique[0]:,} → {unique[1]:,} different values"
        return
    old, new = count_values(before), count_values(now)
    if new.keys() - old:
        yield "new values " + _format_counts(
            {value: new[value] for value in new if value not in old}
        )
    if old.keys() - new:
        yield "no longer " + _format_counts(
            {value: old[value] for value in old if value not in new}
        )


def _format_counts(counts: dict[str, float]) -> str:
    shown = ", ".join(f"{value!r} ({count:,.0f})" for value, count in list(counts.items())[:_SHOWN])
    more = len(counts) - _SHOWN
    return shown + (f" and {more} more" if more > 0 else "")
