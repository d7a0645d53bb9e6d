"""A suggestion for each kind of unexpected header."""

import pytest

from components.ingest.read.header_fix import suggest_header_fix
from schema.sources import Source

EXPECTED = ("user", "item", "time")


@pytest.mark.parametrize(
    ("head", "clause"),
    [
        (["user;item;time"], "set delimiter = ';'"),
        (["user\titem\ttime"], r"set delimiter = '\t'"),
        (["user|item|time|more"], "set delimiter = '|'"),
        (["User", "Item", "Time"], "did you mean 'User'?"),
        (["user", "item ", "time"], "did you mean 'item '?"),
        (["42", "a7", "1700000000"], "set columns"),
        (["'user'", "'item'", "'time'"], 'set quote = "\'"'),
        (['{"user": 1', '"item": 2', '"time": 3}'], 'format = "jsonl"'),
        (["  "], "first line is blank"),
        (["customer", "sku", "moment"], "is delimiter = ',' right?"),
    ],
)
def test_the_problem_is_named(head, clause):
    assert clause in suggest_header_fix(head, EXPECTED, Source(path="log"))


@pytest.mark.parametrize(
    ("head", "keys", "clause"),
    [
        (["# export", "# of May", "user,item,time"], {}, 'set comment = "#"'),
        (["export", "# of May", '"user","item","time"'], {}, "line 3 has these columns: set"),
        (["", "user,item,time"], {}, "line 2 has these columns: set skip_lines = 1"),
        (["a", "user,item,time"], {"skip_lines": 1}, "is delimiter"),
    ],
)  # fmt: skip
def test_a_header_in_a_later_line_is_found(head, keys, clause):
    result = suggest_header_fix(head[:1], EXPECTED, Source(path="log", **keys), head)
    assert clause in result
