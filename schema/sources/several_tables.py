"""Several tables of one kind: `[[data.interactions]]`, an array of tables in TOML."""

from typing import Any

from schema.base import StrictModel
from schema.sources.interactions import InteractionsSource
from schema.sources.items import ItemsSource
from schema.sources.users import UsersSource

LATER_TABLES = "later_tables"
"""Key of `Data` for the tables after the first of each kind."""
_RULES = {"interactions": InteractionsSource.RULES, "items": ItemsSource.RULES, "users": ()}


class LaterTables(StrictModel):
    """The tables after the first of each kind. They have the rules of the first."""

    interactions: list[InteractionsSource] = []
    """Further events."""
    items: list[ItemsSource] = []
    """Further columns of the items."""
    users: list[UsersSource] = []
    """Further columns of the users."""


def name_table(kind: str, number: int) -> str:
    """Returns the name of a table in counts, messages and folders: `items`, then `items.1`; the
    numbers are those of the configuration's keys.
    """
    return f"{kind}.{number}" if number else kind


def divide_tables(values: dict[str, Any]) -> dict[str, Any]:
    """Replaces each array of tables in the parsed `[data]` by its first table, and adds the others
    as LATER_TABLES.

    A rule, such as `unknown_item`, can be in any of the tables and applies to all. Raises
    ValueError for an empty array, and if two tables differ in a rule.
    """
    arrays = {kind: values[kind] for kind in _RULES if isinstance(values.get(kind), list)}
    if not arrays:
        return values
    if values.get(LATER_TABLES):
        raise ValueError(
            f"expected {' and '.join(arrays)} as arrays of tables, received {LATER_TABLES} too; "
            "remove it"
        )
    divided, later = dict(values), {}
    for kind, tables in arrays.items():
        if not tables:
            raise ValueError(f"{kind} expects at least one table, received []; remove the key")
        divided[kind], *later[kind] = _share_rules(kind, tables)
    return divided | {LATER_TABLES: later}


def _share_rules(kind: str, tables: list[Any]) -> list[Any]:
    if not all(isinstance(table, dict) for table in tables):  # left to the types, which reject it
        return tables
    shared = {}
    for rule in _RULES[kind]:
        given = [table[rule] for table in tables if rule in table]
        if any(value != given[0] for value in given):
            raise ValueError(
                f"{kind} expects one {rule} for all its tables, received "
                f"{', '.join(map(repr, given))}; keep it in one of them"
            )
        if given:
            shared[rule] = given[0]
    return [table | shared for table in tables]
