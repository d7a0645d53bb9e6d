import pytest

from pipeline.commands import backfill
from schema.errors import UsageError
from schema.sources import InteractionsSource


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        ("2024-02-28", "2024-03-01", ["2024-02-28", "2024-02-29", "2024-03-01"]),
        ("2023-12-31", "2024-01-01", ["2023-12-31", "2024-01-01"]),
        ("2024-01-31", "2024-01-31", ["2024-01-31"]),
        ("9", "11", ["9", "10", "11"]),
        ("007", "8", ["7", "8"]),
    ],
)
def test_every_span_between_two_is_a_day(first, last, expected):
    assert backfill.list_spans(first, last) == expected


@pytest.mark.parametrize(
    ("first", "last", "message"),
    [
        ("2024-02-02", "2024-02-01", "--from expects a span that is not after --to, received"),
        ("3", "2", "received --from 3 --to 2"),
        ("2024-02-30", "2024-03-01", "two dates such as 2024-01-31, or two numbers"),
        ("2024-02-01", "7", "received --from 2024-02-01 --to 7"),
        ("yesterday", "today", "received --from yesterday --to today"),
    ],
)
def test_an_impossible_period_is_refused(first, last, message):
    with pytest.raises(UsageError, match=message):
        backfill.list_spans(first, last)


def test_a_log_in_one_file_has_no_days():
    with pytest.raises(UsageError, match=r"expects \{SPAN\} in data.interactions.path, received"):
        backfill.require_window(InteractionsSource(path="events.jsonl"))


def test_a_run_must_declare_how_much_it_reads():
    source = InteractionsSource(path="events/{SPAN}")
    with pytest.raises(UsageError, match=r"expects data.interactions.last_spans, received none"):
        backfill.require_window(source)
