"""How delimited text is written: delimiter, quotes, column names, encoding, numbers, nulls."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from schema.base import StrictModel
from schema.sources.encodings import UTF_8, Encoding, is_utf_16

NULL_TEXT = "\\N"
NULL_WORDS = ("NULL", "Null", "null", "NA", "N/A", "n/a", "<NA>", "NaN", "nan", "None")


class TextOptions(StrictModel):
    """Keys of a table of delimited text."""

    delimiter: Annotated[str, Field(min_length=1)] = ","
    """Separator between two fields of `csv`; can have several characters, "\\t" for a tab. If all
    of a file's lines end with it, whether or not its header does, the empty field after it is
    ignored."""
    quote: Annotated[str, Field(pattern=r"^[!-/:-@\[-_{-~]?$")] = '"'
    """Quotation mark of `csv`. A field that begins with it ends with it, and can contain
    delimiters, line breaks and doubled quotation marks, up to 1 MiB; elsewhere it is an ordinary
    character. `""` for text without quoting, as in many tab-separated files. It works with
    delimiters of any length."""
    escape: Annotated[str | None, Field(pattern=r"^[!-~]$")] = None
    """Escape character of `csv`, often a backslash: the next character (a quotation mark, a
    delimiter, a line break or the escape character) is an ordinary one. No escape if absent."""
    columns: list[str] | None = None
    """Names of the `csv` columns; if absent, the first line that is not empty holds the names."""
    skip_lines: Annotated[int, Field(ge=0)] = 0
    """Number of lines at the beginning of each `csv` file that are not read, before the header."""
    comment: Annotated[str | None, Field(min_length=1)] = None
    """Lines of `csv` that begin with this text, often "#", are neither header nor records; the
    counts of the run include their number. No comments if absent."""
    strip_names: bool = True
    """Whether blanks around the names in the header of `csv` are removed."""
    strip_fields: bool = False
    """Whether blanks around an unquoted `csv` field are removed. If they are not, an id with blanks
    does not match the same id without (see `min_known_items`)."""
    encoding: Encoding = "utf-8"
    """Text encoding of the files: `utf-8`; `utf-16` (in the byte order of its mark, otherwise
    little-endian), `utf-16-le` or `utf-16-be`; or a single-byte codec of Python that extends ASCII,
    such as `latin-1`, `cp1252` or `koi8-r`. Lines end with a line feed, a carriage return or
    both."""
    null_values: list[str] | None = None
    """Texts that stand for a missing value, besides the empty text, in all columns. If absent,
    `\\N` does in all columns, and in columns of numbers, times and booleans also `NULL`, `Null`,
    `null`, `NA`, `N/A`, `n/a`, `<NA>`, `NaN`, `nan` and `None`: none of these can be a number, but
    an item may have the id `NA`, a country the code `NA` and a film the title `None`. A missing id
    or time rejects the record. Letter case and blanks count. `jsonl` and `parquet` texts follow
    this key, `decimal` and `thousands` too."""
    decimal: Literal[".", ","] = "."
    """Decimal separator of numbers in text. A currency sign or an ISO 4217 code before or after a
    number is ignored, as in `€ 12.50` or `12.50 EUR`."""
    thousands: Literal[",", ".", " ", "'", "_"] | None = None
    """Separator of thousands of numbers in text: `decimal = ","` and `thousands = "."` read
    `1.234,50`. `" "` includes the no-break spaces, `"'"` the typographic apostrophe. No separator
    if absent."""

    @model_validator(mode="after")
    def _require_different_separators(self) -> "TextOptions":
        if self.thousands == self.decimal:
            raise ValueError(
                f"expected different decimal and thousands, received {self.decimal!r} for both; "
                "remove thousands, or set decimal to the other one"
            )
        return self

    @model_validator(mode="after")
    def _require_different_marks(self) -> "TextOptions":
        if self.quote and self.quote in self.delimiter:
            raise ValueError(
                f"expected a quote that is not in the delimiter, received {self.quote!r}; "
                'set quote = "" for text without quoting'
            )
        if self.escape is not None and self.escape in (self.quote, *self.delimiter):
            raise ValueError(
                "expected an escape that is neither the quote nor in the delimiter, "
                f"received {self.escape!r}; doubled quotation marks need no escape"
            )
        return self

    @model_validator(mode="after")
    def _require_encodable_marks(self) -> "TextOptions":
        for key, text in (("delimiter", self.delimiter), ("comment", self.comment or "")):
            try:
                text.encode(self.encoding)
            except UnicodeEncodeError:
                raise ValueError(
                    f"expected a {key} that encoding = {self.encoding!r} has, received {text!r}"
                ) from None
        return self

    @property
    def byte_encoding(self) -> str:
        """Encoding of the text as ingestion reads it, which converts UTF-16 to UTF-8."""
        return UTF_8 if is_utf_16(self.encoding) else self.encoding

    @property
    def null_texts(self) -> tuple[str, ...]:
        """Texts that stand for a missing value in columns of ids and texts."""
        return (NULL_TEXT,) if self.null_values is None else tuple(self.null_values)

    @property
    def null_numbers(self) -> tuple[str, ...]:
        """Texts that stand for a missing value in columns of numbers, times and booleans."""
        return (NULL_TEXT, *NULL_WORDS) if self.null_values is None else tuple(self.null_values)
