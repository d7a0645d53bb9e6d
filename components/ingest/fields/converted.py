"""A converted column, and the records that it rejects."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import pyarrow as pa


class ConvertedColumn(NamedTuple):
    """A column [n], and the records that it rejects: (reason, bool [n]), most important first."""

    array: pa.Array
    faults: list[tuple[str, np.ndarray]]
    local: int = 0
    """Number of times without a zone that were assumed to be UTC."""
    unnamed: Mapping[str, int] = MappingProxyType({})
    """Number of values of each kind that the configuration does not name, of a column of kinds."""
