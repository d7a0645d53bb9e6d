"""Broken lines: as many as requested, of every kind, and none that a reader could accept."""

import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.simulator.write import FAULT_KINDS, Faults, break_line, draw_faults, insert_faults

LINE = (
    '{"user_id": "u1", "item_id": "i2", "timestamp": 1704067210, '
    '"device": "phone", "purchase": 0, "rating": 4.5}'
)


def _reason(line):
    """The reason why a reader of objects with two ids and integer seconds must reject the line."""
    try:
        event = json.loads(line)
    except json.JSONDecodeError:
        return "broken_json"
    if not isinstance(event, dict):
        return "not_an_object"
    for field in ("user_id", "item_id", "timestamp"):
        if field not in event:
            return f"missing_{field}"
    return None if isinstance(event["timestamp"], int) else "bad_timestamp"


def test_the_reader_accepts_the_valid_line():
    assert _reason(LINE) is None


def test_every_kind_is_rejected_for_its_own_reason():
    assert {sort: _reason(break_line(LINE, sort)) for sort in FAULT_KINDS} == {
        s: s for s in FAULT_KINDS
    }


def test_malformed_lines_precede_their_events():
    lines = [LINE.replace("u1", f"u{n}") for n in range(3)]
    faults = Faults(next_event=np.array([10, 12, 12]), kind=np.array([1, 5, 0]))
    mixed = insert_faults(lines, first=10, faults=faults)
    assert [_reason(line) for line in mixed] == [
        "missing_user_id",
        None,
        None,
        "not_an_object",
        "broken_json",
        None,
    ]
    assert [line for line in mixed if _reason(line) is None] == lines


def test_blocks_without_faults_are_unchanged():
    faults = Faults(next_event=np.array([10]), kind=np.array([0]))
    assert insert_faults([LINE], first=9, faults=faults) == [LINE]


@given(n=st.integers(0, 60), events=st.integers(1, 500), seed=st.integers(0, 50))
def test_counts_sum_to_the_requested_number_and_are_even(n, events, seed):
    faults = draw_faults(np.random.default_rng(seed), n, events)
    counts = faults.count_by_kind()
    assert sum(counts.values()) == n
    assert max(counts.values()) - min(counts.values()) <= 1
    assert set(counts) == set(FAULT_KINDS)
    assert all(0 <= before < events for before in faults.next_event)
