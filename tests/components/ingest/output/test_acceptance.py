"""The rules that a finished ingestion must pass."""

import dataclasses

import pytest

from components.ingest.output import acceptance, counts, dead_letters
from components.ingest.output.counts import Counts, TableCounts, UnreadableValues
from components.ingest.read.records import DeadLetter
from schema.errors import DataRefused
from schema.sources import Data

DATA = Data.model_validate({"interactions": {"path": "log"}, "items": {"path": "items"}})
SPLITS = {"train": 8, "valid": 1, "test": 1, "t_valid": 5, "t_test": 6}


def build_counts(
    read=1000, accepted=990, rejected=8, duplicates=2, totals=SPLITS, **reasons
) -> Counts:
    table = TableCounts(read, accepted, rejected, duplicates, reasons)
    return Counts({"interactions": table}, totals)


def test_good_counts_pass():
    acceptance.check(build_counts(bad_number=8), DATA, "rejected")


def test_a_lost_record_is_an_assertion_error():
    with pytest.raises(AssertionError, match=r"1000.*989"):
        acceptance.check(build_counts(accepted=989), DATA, "rejected")


def test_a_fraction_equal_to_the_limit_is_allowed():
    acceptance.check(build_counts(accepted=988, rejected=10, bad_number=10), DATA, "rejected")


def test_too_many_rejected_names_reasons_folder_and_hint():
    reasons = {"wrong_field_count": 9, "bad_number": 2, "broken_json": 1, "bad_id": 1}
    with pytest.raises(DataRefused) as caught:
        acceptance.check(build_counts(accepted=985, rejected=13, **reasons), DATA, "/run/rejected")
    message = str(caught.value)
    for part in ("13 of 1000", "wrong_field_count 9, bad_number 2, broken_json 1;", "delimiter",
                 "/run/rejected/interactions"):  # fmt: skip
        assert part in message
    assert "bad_id" not in message


def test_an_empty_split_is_named():
    with pytest.raises(DataRefused, match=r"none in valid of 990"):
        acceptance.check(build_counts(totals={**SPLITS, "valid": 0}), DATA, "rejected")


def test_an_empty_split_of_last_items_suggests_longer_histories():
    with pytest.raises(DataRefused, match="users with at least three events"):
        acceptance.check(
            build_counts(totals={"train": 990, "valid": 0, "test": 0}), DATA, "rejected"
        )


@pytest.mark.parametrize("table", ["interactions", "items"])
def test_one_record_is_too_many_if_the_policy_is_fail(table):
    reason, policy = {
        "interactions": ("unknown_item", {"unknown_item": "fail"}),
        "items": ("duplicate_id", {"duplicates": "fail"}),
    }[table]
    sources = {"interactions": {"path": "log"}, "items": {"path": "items"}}
    sources[table] |= policy
    result = Counts({table: TableCounts(1000, 999, 1, 0, {reason: 1})}, {})
    with pytest.raises(DataRefused, match=rf"{reason}.*data\.{table}\..*received 1 of 1000"):
        acceptance.check(result, Data.model_validate(sources), "rejected")
    acceptance.check(result, DATA, "rejected")


def test_a_table_without_accepted_records_is_refused():
    with pytest.raises(DataRefused, match=r"data\.interactions\.path"):
        acceptance.check(
            build_counts(read=0, accepted=0, rejected=0, duplicates=0), DATA, "rejected"
        )


def test_counts_are_read_from_json_and_from_the_file(tmp_path):
    tallies = {
        "users/read": 5, "users/accepted": 2, "users/duplicates": 1,
        "users/rejected/bad_id": 1, "users/rejected/broken_json": 1, "interactions/read": 9,
    }  # fmt: skip
    result = counts.sum_tallies(tallies, ("users", "items"), {"items": 3})
    reasons = {"bad_id": 1, "broken_json": 1}
    assert result == Counts(
        {"users": TableCounts(5, 2, 2, 1, reasons), "items": TableCounts(0, 0, 0, 0, {})},
        {"items": 3},
    )
    assert counts.parse(result.to_json()) == result
    counts.write(str(tmp_path), result)
    assert counts.load(str(tmp_path)) == result


@pytest.mark.parametrize("name", ["rejected", "re[j]ected*"])
def test_the_first_letter_of_the_main_reason_is_shown(tmp_path, name):
    folder = dead_letters.prepare(str(tmp_path / name), "interactions")
    letters = [
        DeadLetter("a.csv", 3, "bad_id", "x"),
        DeadLetter("a.csv", 7, "bad_timestamp", "u" * 10_000, None, "the time zone is missing"),
    ]
    dead_letters.write(folder, 3, letters)
    with pytest.raises(DataRefused) as caught:
        acceptance.check(
            build_counts(accepted=900, rejected=98, bad_timestamp=97, bad_id=1),
            DATA,
            str(tmp_path / name),
        )
    message = str(caught.value)
    assert message.endswith(f"; for example line 7 of a.csv, which holds '{'u' * 60}'…: "
                            "the time zone is missing")  # fmt: skip
    assert len(message) < 1000


def test_a_column_with_only_unreadable_values_is_refused():
    result: dict[str, UnreadableValues] = {
        "features.items.price": {"values": 9, "example": "received 'n/a'"}
    }
    items = TableCounts(10, 8, 1, 1, {"bad_id": 1}, result)
    data = DATA.model_copy(update={"max_rejected_fraction": 1.0})
    with pytest.raises(DataRefused, match=r"features.items.price .*none in 9 records.*'n/a'"):
        acceptance.check(Counts({"items": items}, {}), data, "rejected")
    result["features.items.price"]["values"] = 8
    acceptance.check(Counts({"items": items}, {}), data, "rejected")


def test_a_log_needs_one_event_of_a_named_kind():
    table = TableCounts(1000, 98, 900, 2, {"bad_id": 900}, unnamed_kinds={"view": 995})
    data = DATA.model_copy(update={"max_rejected_fraction": 1.0})
    with pytest.raises(DataRefused, match=r"received only others: view \(995\)"):
        acceptance.check(Counts({"interactions": table}, SPLITS), data, "rejected")
    some = dataclasses.replace(table, named_kinds=1)
    acceptance.check(Counts({"interactions": some}, SPLITS), data, "rejected")


def test_a_log_with_unused_events_only_names_what_they_are():
    table = TableCounts(9, 0, 0, 0, {}, unused=9)
    with pytest.raises(DataRefused, match=r"9 of kinds in labels\.events\.ignore, or impressions"):
        acceptance.check(Counts({"interactions": table}, {}), DATA, "rejected")
    with pytest.raises(DataRefused, match="9 with ids that the first table does not have"):
        acceptance.check(Counts({"items.1": table}, {}), DATA, "rejected")


def test_a_damaged_file_is_refused_even_for_one_lost_record():
    with pytest.raises(DataRefused, match=r"no record with damaged_file, .* copy the file again"):
        acceptance.check(build_counts(accepted=997, rejected=1, damaged_file=1), DATA, "rejected")
