"""One table of the user's, and what is to be made of it."""

from collections.abc import Sequence
from typing import NamedTuple

from components.ingest.fields.table_spec import Field
from schema.sources import Source

# Where a record came from: it decides which of two records with one id is the later one.
FILE = "file"
LINE = "line"
ROW_GROUP = "row_group"  # of a Parquet file
RAW = "raw"  # and how it stood there, for a record that may still be refused later
ORIGIN = (FILE, LINE, ROW_GROUP, RAW)
DETAIL = "detail"
"""Column of refused records that says why."""


class TableSpec(NamedTuple):
    """What the workers are told about a table."""

    name: str
    """interactions, items or users: the name of its counts and of its folder of dead letters."""
    source: Source
    """Files and format."""
    fields: Sequence[Field]
    """Fields of a record; the first one is the id that shards go by."""
    shards: int
    """How many parts."""
    origin: tuple[str, ...] = ()
    """Which of FILE, LINE, ROW_GROUP and RAW an accepted record keeps."""
    withholds_raw: bool = False
    """Whether dead letters and RAW go without the raw text, which would show what is hashed."""
