"""Lines with one Python dict each."""

import pytest

from components.ingest.read.objects.python_lines import parse_python_lines


def test_python_dicts_are_read_as_columns():
    texts = [
        "{u'user': u'a', 'hours': 4.5, 'early': True, 'tags': ['x', 'y'], 'by': {'id': 7}}",
        "{'user': \"it's\", 'hours': None, 'price': u'\\u20ac5'}",
    ]
    result = parse_python_lines(texts, ["user", "hours", "early", "tags", "by.id", "price"])
    assert result.faults == {}
    assert result.columns == {
        "user": ["a", "it's"],
        "hours": [4.5, None],
        "early": [True, None],
        "tags": [["x", "y"], None],
        "by.id": [7, None],
        "price": [None, "€5"],
    }


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{'user': 'a'", "broken_python"),
        ("['a']", "broken_python"),
        ("{'user': print('x')}", "broken_python"),
        ("{['a']: 1}", "broken_python"),
        ("{'user': nan}", "broken_python"),
        ("{'user': '\\ud800'}", "invalid_encoding"),
        ("{'user': 'a', 'user': 'b'}", "repeated_key"),
        ("{" * 10_000, "broken_python"),
        ("\0", "broken_python"),
    ],
)
def test_other_text_is_a_fault(text, reason):
    result = parse_python_lines(["{'user': 'a', 'other': 1, 'other': 2}", text], ["user"])
    assert result.columns == {"user": ["a"]}
    assert {n: fault.reason for n, fault in result.faults.items()} == {1: reason}
