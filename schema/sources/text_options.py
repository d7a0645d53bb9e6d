"""How delimited text is written: delimiter, quoting, column names, encoding."""

from typing import Annotated, Literal

from pydantic import Field

from schema.base import StrictModel


class TextOptions(StrictModel):
    """Keys of a table of delimited text."""

    delimiter: Annotated[str, Field(min_length=1)] = ","
    """Separator between two fields of `csv`; can have several characters, "\\t" for a tab."""
    quoting: Literal["csv", "none"] = "csv"
    """`csv`: a `csv` field that begins with a quotation mark ends with one, and can contain
    delimiters, line breaks and doubled quotation marks, up to 1 MiB; a quotation mark elsewhere is
    an ordinary character. `none`: every quotation mark is an ordinary character, as in many
    tab-separated files. Both work with delimiters of any length."""
    escape: Annotated[str | None, Field(pattern=r"^[!-~]$")] = None
    """Escape character of `csv`, often a backslash: the next character (a quotation mark, a
    delimiter, a line break or the escape character) is an ordinary one. No escape if absent."""
    columns: list[str] | None = None
    """Names of the `csv` columns; if absent, the first line holds the names."""
    strip_names: bool = True
    """Whether blanks around the names in the first line of `csv` are removed."""
    strip_fields: bool = False
    """Whether blanks around an unquoted `csv` field are removed. If they are not, an id with blanks
    does not match the same id without (see `min_known_items`)."""
    encoding: Literal["utf-8", "latin-1"] = "utf-8"
    """Text encoding of the files."""
