"""Specification of a table: its source, and the columns of its fields."""

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

from components.ingest.fields.converted import ConvertedColumn
from components.ingest.fields.timestamps import (
    TimeNotation,
)
from schema import timeline
from schema.sources import Source, name_table

# One event's share of the parallel lists that `schema.timeline` describes.
ITEM_ID = timeline.ITEM_ID
TIMESTAMP = "timestamp"
MOMENT = "moment"
"""Nanoseconds since epoch, UTC, of an event before sorting, which replaces it with TIMESTAMP."""
# The origin of a record, which decides which of two records with the same id is the later one.
FILE = "file"
LINE = "line"
ROW_GROUP = "row_group"  # of a Parquet file
RAW = "raw"  # its text, for a record that a later rule can reject
ORIGIN = (FILE, LINE, ROW_GROUP, RAW)
PROPERTY = "property"
VALUE = "value"
"""Name and value of an item's property, in a long table of items."""
TABLE = "table"
"""Number of the event's table, int8, if the log has several."""
SPLIT = "split"
"""Position of the event's split in `timeline.SPLITS`, int8, where events have their own split."""
HISTORY = "history"
"""Items from before the log, in each of the user's events."""
DETAIL = "detail"
"""Column of rejected records with the explanation."""


class Field(NamedTuple):
    """One field of an accepted record."""

    name: str
    """Name of the field in the accepted records."""
    column: str
    """The user's column."""
    convert: Callable[..., ConvertedColumn]
    """Values of each column -> the field."""
    key: str
    """The configuration key that names the column."""
    others: tuple[str, ...] = ()
    """Other columns: of a vector with one column per number, or of an id with several."""
    expects: str = "an id: text or a whole number"
    """Description of valid values, for messages."""
    optional: bool = False
    """Whether an unreadable value counts as missing; otherwise it rejects the record."""
    absent: Any = None
    """Replacement of an unreadable value of an optional field."""
    notation: TimeNotation | None = None
    """How times are written, of a field of times."""
    holds: Literal["text", "number", "other"] = "other"
    """What the columns contain: `text` is any text, such as ids; `number` is converted with the
    source's number form; `other` is times and booleans."""

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns of the field."""
        return (self.column, *self.others)


class TableSpec(NamedTuple):
    """What workers need to read a table."""

    kind: str
    """interactions, items or users."""
    source: Source
    """Files and format."""
    fields: Sequence[Field]
    """Fields of a record; the first one is the id that determines the shard."""
    shards: int
    """Number of shards."""
    origin: tuple[str, ...] = ()
    """Columns of ORIGIN, and TABLE, that accepted records keep."""
    withholds_raw: bool = False
    """Whether to omit the raw text from dead letters and RAW, because it has unhashed ids."""
    number: int = 0
    """Position of the table among those of its kind."""
    properties: frozenset[str] | None = None
    """Properties to keep of a long table of items."""
    required: str | None = None
    """Field of a column of kinds: 1 for a positive kind, and null for an ignored one, whose events
    are unused."""

    @property
    def name(self) -> str:
        """Name of the table's counts and folder of dead letters."""
        return name_table(self.kind, self.number)
