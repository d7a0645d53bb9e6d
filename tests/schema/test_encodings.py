"""Which text encodings a table can have."""

import pytest
from pydantic import TypeAdapter, ValidationError

from schema.sources.encodings import Encoding, is_utf_16

ENCODING = TypeAdapter(Encoding)


@pytest.mark.parametrize(
    "name",
    ["utf-8", "UTF8", "utf-16", "utf-16-le", "UTF_16BE", "latin-1", "cp1252", "koi8-r", "ascii"],
)
def test_known_encodings(name):
    assert ENCODING.validate_python(name) == name


@pytest.mark.parametrize(
    "name",
    ["utf-9", "", "utf-32", "utf-7", "shift_jis", "gbk", "euc-kr", "cp037", "hz", "rot13", "hex",
     "unicode_escape", "raw_unicode_escape", "idna", "punycode", "undefined", "iso2022_jp"],
)  # fmt: skip
def test_other_codecs_are_refused_with_a_list_of_the_known_ones(name):
    with pytest.raises(ValidationError, match=f'such as "latin-1" or "cp1252", received {name!r}'):
        ENCODING.validate_python(name)


def test_utf_16_by_any_of_its_names():
    assert [is_utf_16(name) for name in ("utf16", "UTF-16LE", "utf-8", "cp1252")] == [
        True, True, False, False,
    ]  # fmt: skip
