"""Renamed keys of the previous release, which work for one more release."""

from typing import Any

_RENAMED = {
    "data.window": "events_per_example",
    "data.carry": "history_per_example",
    "data.interactions.stragglers": "time_outliers",
    "data.interactions.quoting": "quote",
    "data.items.quoting": "quote",
    "data.users.quoting": "quote",
    "retrieval.present": "popularity_prior",
    "tune.retrieval.present": "popularity_prior",
    "evaluation.fairness.of": "groups",
    "blessing.thresholds.of": "target",
    "blessing.baselines.of": "lists",
    "blessing.baselines.against": "baseline",
    "blessing.baselines.beyond_noise": "significant",
}
"""New name of a key, in the same section, by its old path."""

_NEW_VALUES = {"quoting": {"csv": '"', "none": ""}}
"""New value by old value, for an old key whose values changed too; other values stay."""


def rename_keys(table: dict[str, Any]) -> dict[str, str]:
    """Renames old keys of the parsed TOML `table` in place.

    Returns the new path by the old one for each renamed key. If a section has both names, the old
    key stays, and validation rejects it as unknown.
    """
    renamed: dict[str, str] = {}
    for path, new in _RENAMED.items():
        *sections, old = path.split(".")
        for section in _find_sections(table, sections):
            if old in section and new not in section:
                section[new] = _convert_value(old, section.pop(old))
                renamed[path] = ".".join([*sections, new])
    return renamed


def _convert_value(old: str, value: Any) -> Any:
    new = _NEW_VALUES.get(old, {})
    return new.get(value, value) if isinstance(value, str) else value


def _find_sections(table: Any, sections: list[str]) -> list[dict[str, Any]]:
    """The tables at this path: several for an array of tables, none if a part is missing."""
    if isinstance(table, list):
        return [section for entry in table for section in _find_sections(entry, sections)]
    if not isinstance(table, dict):
        return []
    if not sections:
        return [table]
    return _find_sections(table.get(sections[0]), sections[1:])
