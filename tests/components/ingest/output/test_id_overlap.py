"""Ids that meet, by hand, and why others do not."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.ingest.output import id_overlap
from components.ingest.output.id_overlap import (
    Meeting,
    canonical,
    likely_reason,
    meet,
    together,
    weighed,
)


def ids(*texts: str) -> pa.Array:
    return pa.array(texts, pa.large_string())


def test_events_are_counted_and_both_sides_shown():
    log = weighed(ids("a", "a", "a", "x", "y", "y", "z", "w", "x", "x"))
    found = meet(log, ids("a", "q", "p", "p", "s", "r"))
    assert (found.total, found.met, found.share) == (10, 3, 0.3)
    assert found.alone == {"x": 3, "y": 2, "w": 1}
    assert found.others == ["p", "q", "r"]
    assert likely_reason(found, 0.5) is None


@pytest.mark.parametrize(
    ("log", "table", "reason"),
    [
        (["8.0", "9.0"], ["8", "9"], "a trailing .0"),
        (["8", "9"], ["8.0", "9.0"], "a trailing .0"),
        ([" 8", "9 "], ["8", "9"], "blanks around them"),
        (["000008", "000109"], ["8", "109"], "leading zeros"),
        (["ITEM_8", "ITEM_9"], ["item_8", "item_9"], "capital letters"),
        (["ITEM_8", "ITEM_9"], ["8", "9"], "what stands before the first digit"),
        (["i8", "i9"], ["8", "9"], "what stands before the first digit"),
        (["sku:ab", "sku:cd"], ["ab", "cd"], "what stands before the last : / # _ -"),
        (["Item 08.0", "Item 09.0"], ["8", "9"], id_overlap.ALL_CHANGES),
        (["x", "y"], ["8", "9"], None),
    ],
)
def test_the_one_difference_that_keeps_them_apart(log, table, reason):
    found = meet(weighed(ids(*log)), ids(*table))
    assert found.met == 0
    assert likely_reason(found, 0.5) == reason


def test_what_meets_already_stays_met_whatever_is_changed():
    found = meet(weighed(ids("A", "A", "b.0", "c")), ids("A", "b", "d"))
    assert found.by_change["a trailing .0"] == 3
    assert found.by_change["capital letters"] == 2
    assert likely_reason(found, 0.75) == "a trailing .0"
    assert likely_reason(found, 0.8) is None


def test_parts_add_up():
    left = meet(weighed(ids("a", "x", "x")), ids("a", "b"))
    right = meet(weighed(ids("8.0", "9.0", "9.0", "9.0")), ids("8", "9"))
    found = together([left, right])
    assert (found.total, found.met) == (7, 1)
    assert found.alone == {"9.0": 3, "x": 2, "8.0": 1}
    assert found.others == ["8", "9", "b"]
    assert found.by_change["a trailing .0"] == 5
    assert found.by_change["leading zeros"] == 1


def test_nothing_meets_nothing():
    assert meet(weighed(ids()), ids()) == Meeting(0, 0, {}, {}, [])
    assert together([]) == Meeting(0, 0, {}, {}, [])
    assert together([]).share == 1
    assert meet(weighed(ids("a")), ids()).share == 0


blanks = st.sampled_from(["", " ", "  "])
written = st.tuples(
    blanks,
    st.sampled_from(["", "ITEM_", "item-", "i", "sku:", "#", "a/b/", "Item "]),
    st.sampled_from(["", "0", "000"]),
    st.sampled_from(["8", "109", "b7"]),
    st.sampled_from(["", ".0", ".00"]),
    blanks,
)


@given(written.map("".join))
def test_an_id_and_what_one_change_makes_of_it_come_into_one_part(text):
    for name, change in id_overlap.CHANGES.items():
        assert canonical(change(ids(text))) == canonical(ids(text)), name
