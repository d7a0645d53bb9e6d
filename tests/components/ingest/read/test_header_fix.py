"""A suggestion for each kind of unexpected header."""

import pytest

from components.ingest.read.format_detection import suggest_header_fix


@pytest.mark.parametrize(
    ("found", "clause"),
    [
        (["user;item;time"], "set delimiter = ';'"),
        (["user\titem\ttime"], r"set delimiter = '\t'"),
        (["user|item|time|more"], "set delimiter = '|'"),
        (["User", "Item", "Time"], "did you mean 'User'?"),
        (["user", "item ", "time"], "did you mean 'item '?"),
        (["42", "a7", "1700000000"], "set columns"),
        (["user", "item", "time\r42", "a7", "1700000000\r9"], "carriage returns only"),
        (['{"user": 1', '"item": 2', '"time": 3}'], 'format = "jsonl"'),
        (["  "], "first line is blank"),
        (["customer", "sku", "moment"], "is delimiter = ',' right?"),
    ],
)
def test_the_problem_is_named(found, clause):
    assert clause in suggest_header_fix(found, ("user", "item", "time"), ",")
