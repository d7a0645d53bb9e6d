"""Overlaps of ids by hand, and differences in spelling."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.ingest.output.id_overlap import (
    ALL_SPELLING_CHANGES,
    SPELLING_CHANGES,
    IdOverlap,
    canonicalize_ids,
    count_ids,
    find_likely_change,
    measure_overlap,
    merge_overlaps,
)


def ids(*texts: str) -> pa.Array:
    return pa.array(texts, pa.large_string())


def test_events_are_counted_and_unmatched_ids_of_both_tables_are_shown():
    log = count_ids(ids("a", "a", "a", "x", "y", "y", "z", "w", "x", "x"))
    result = measure_overlap(log, ids("a", "q", "p", "p", "s", "r"))
    assert (result.total, result.met, result.share) == (10, 3, 0.3)
    assert result.alone == {"x": 3, "y": 2, "w": 1}
    assert result.others == ["p", "q", "r"]
    assert find_likely_change(result, 0.5) is None


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
        (["Item 08.0", "Item 09.0"], ["8", "9"], ALL_SPELLING_CHANGES),
        (["x", "y"], ["8", "9"], None),
    ],
)
def test_the_difference_in_spelling_is_found(log, table, reason):
    result = measure_overlap(count_ids(ids(*log)), ids(*table))
    assert result.met == 0
    assert find_likely_change(result, 0.5) == reason


def test_matching_ids_still_match_after_every_change():
    result = measure_overlap(count_ids(ids("A", "A", "b.0", "c")), ids("A", "b", "d"))
    assert result.by_change["a trailing .0"] == 3
    assert result.by_change["capital letters"] == 2
    assert find_likely_change(result, 0.75) == "a trailing .0"
    assert find_likely_change(result, 0.8) is None


def test_parts_add_up():
    left = measure_overlap(count_ids(ids("a", "x", "x")), ids("a", "b"))
    right = measure_overlap(count_ids(ids("8.0", "9.0", "9.0", "9.0")), ids("8", "9"))
    result = merge_overlaps([left, right])
    assert (result.total, result.met) == (7, 1)
    assert result.alone == {"9.0": 3, "x": 2, "8.0": 1}
    assert result.others == ["8", "9", "b"]
    assert result.by_change["a trailing .0"] == 5
    assert result.by_change["leading zeros"] == 1


def test_empty_tables_have_no_overlap():
    assert measure_overlap(count_ids(ids()), ids()) == IdOverlap(0, 0, {}, {}, [])
    assert merge_overlaps([]) == IdOverlap(0, 0, {}, {}, [])
    assert merge_overlaps([]).share == 1
    assert measure_overlap(count_ids(ids("a")), ids()).share == 0


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
def test_an_id_and_its_changed_spellings_are_in_the_same_part(text):
    for name, change in SPELLING_CHANGES.items():
        assert canonicalize_ids(change(ids(text))) == canonicalize_ids(ids(text)), name
