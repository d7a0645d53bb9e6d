"""Lists and objects that are written as text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.ingest.read.nested.literal_text import parse_literal


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('["a", "b"]', ["a", "b"]),
        ("['a', 'b']", ["a", "b"]),
        ("[u'a', 'it\\'s']", ["a", "it's"]),
        ("['a' 'b']", ["a", "b"]),
        ("['a'\n \"it's\"]", ["a", "it's"]),
        ("[0.5 -1.5e2\n 3. ]", [0.5, -150.0, 3.0]),
        ("[1 -2]", [1.0, -2.0]),
        ("[0.5, NaN]", [0.5, None]),
        (" [1] ", [1]),
        ("[]", []),
        ("{'id': 1}", {"id": 1}),
        ('{"id": true}', {"id": True}),
    ],
)
def test_lists_and_objects_are_read_as_json_python_or_numpy_print_them(text, expected):
    assert parse_literal(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "a", "[REC]", "[a]|[b]", "(1994)", "5", "'a'", "[1", "{1, 2}", '["\\ud800"]',
     "[" * 5000 + "]"],
)  # fmt: skip
def test_other_text_is_neither(text):
    assert parse_literal(text) is None


@given(st.text(alphabet="[]{}'\"\\,: 1aue.-\n", max_size=20).map(lambda text: f"[{text}]"))
def test_any_text_is_read_or_not_and_never_fails(text):
    value = parse_literal(text)
    assert value is None or isinstance(value, list)
