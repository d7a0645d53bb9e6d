"""Columns by the names that they usually have."""

from collections.abc import Iterable, Sequence

from components.ingest.draft import names
from components.ingest.draft.column import Column


def choose_by_name(columns: Iterable[Column], known: Sequence[str]) -> Column | None:
    """Returns the column whose name comes first in `known`, or else one whose name ends with one of
    its longer names.
    """
    by_name = {names.normalize(column.name): column for column in reversed(list(columns))}
    exact = next((by_name[name] for name in known if name in by_name), None)
    if exact is not None:
        return exact
    ends = tuple(name for name in known if len(name) > 5)
    return next((by_name[name] for name in reversed(by_name) if name.endswith(ends)), None)
