"""Keys of a table by which texts such as `1.234,50` and `-` are numbers and missing values."""

from typing import Any

from components.ingest.draft.column import find_sentinels, holds_decimal_commas
from components.ingest.draft.file_sample import FileSample
from schema.sources.text_options import NULL_TEXT, NULL_WORDS


def find_number_keys(sample: FileSample) -> dict[str, Any]:
    """Returns `null_values`, `decimal`, `thousands`, if columns are numbers only with them."""
    keys: dict[str, Any] = {}
    columns = sample.columns.values() if "format" not in sample.options else ()
    sentinels = sorted({text for column in columns for text in find_sentinels(column)})
    if sentinels:
        keys["null_values"] = [NULL_TEXT, *NULL_WORDS, *sentinels]
    commas = [column for column in columns if holds_decimal_commas(column)]
    if commas:
        keys["decimal"] = ","
        if any("." in text for column in commas for text in column.texts):
            keys["thousands"] = "."
    return keys
