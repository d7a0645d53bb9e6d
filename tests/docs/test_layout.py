"""README and docs are short and narrow enough to be read as text."""

import re

import pytest

from tests.docs import documents

WIDTH = 100


def find_long_lines(text):
    """Lines above WIDTH columns, but for code, tables and the targets of links."""
    lines, in_code = [], False
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("```"):
            in_code = not in_code
        exempt = in_code or re.match(r" *\||    |\[[\w-]+\]: \S+$", line)
        if len(line) > WIDTH and not exempt:
            lines.append(f"{number}: {line[:60]}…")
    return lines


@pytest.mark.parametrize("name", documents.NAMES)
def test_lines_are_wrapped(name):
    assert find_long_lines(documents.read(name)) == []


def test_readme_is_read_in_three_minutes():
    assert len(documents.read("README.md").splitlines()) <= 100


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("x" * 100, 0),
        ("x" * 101, 1),
        ("| " + "x" * 101 + " |", 0),
        ("```\n" + "x" * 101 + "\n```", 0),
        ("```\n```\n" + "x" * 101, 1),
        ("[page]: https://example.com/" + "x" * 101, 0),
        ("[page] https://example.com/" + "x" * 101, 1),
    ],
)
def test_a_long_line_is_found(text, count):
    assert len(find_long_lines(text)) == count
