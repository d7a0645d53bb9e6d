"""What both parsers make of lines: columns, and which lines they come from."""

from typing import Any, NamedTuple, Union

import numpy as np
import pyarrow as pa

from components.ingest.rejection import Fault

Values = Union[pa.Array, list[Any]]
"""One column: large_string from delimited text, Python objects from JSON; from Parquet
large_string, any numbers or lists of them, timestamps, or else Python objects."""


class Records(NamedTuple):
    """The parsed part of some lines."""

    columns: dict[str, Values]
    """By column name, n values each."""
    index: np.ndarray
    """int64 [n]: the line (position among the lines given) of each record."""
    faults: dict[int, Fault]
    """By line, of the lines that do not parse."""
