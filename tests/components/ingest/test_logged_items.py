"""Data without a catalogue: the items are those of the events."""

import pytest
from pydantic import ValidationError

from components.ingest import items, preflight, refresh
from components.ingest.output import acceptance, counts
from schema.dataset import Dataset
from schema.errors import UsageError

LOG = "user_id,item_id,timestamp\n" + "".join(
    f"u{n % 4},i{n % 7},{1_600_000_000 + n}\n" for n in range(40)
)


def described(**sections):
    return Dataset.model_validate({"data": {"interactions": {"path": "log.csv"}}} | sections)


def test_each_item_of_the_log_is_an_item_with_its_id_as_title(ingest_events, lay):
    folder = lay({"log.csv": LOG + "u1,rejected,soon\n"})
    preflight.check(described(), folder)
    ingested = ingest_events(described(), folder)
    items.write_logged_items(ingested.histories, str(ingested.root / "items"))
    ingested.root.joinpath("examples").rename(ingested.root / "events")
    ingested.root.joinpath("items").rename(ingested.root / "examples")
    rows = [(row["item_id"], row["title"]) for row in ingested.examples("all")]
    assert rows == [([f"i{n}"], [f"i{n}"]) for n in range(7)]
    counted = counts.load(str(ingested.root / "examples"))
    assert (counted.tables, counted.totals) == ({}, {"items": 7})
    acceptance.check(counted, described().data, "rejected")
    assert ingested.counts.meetings == {}


@pytest.mark.parametrize(
    ("sections", "sentence"),
    [
        (
            {"features": {"items": {"brand": {"kind": "category"}}}},
            r"features.items \(brand\) expects a \[data.items\] table, received none",
        ),
        (
            {"data": {"interactions": {"path": "log.csv", "unknown_item": "reject"}}},
            r"unknown_item = 'reject' expects a \[data.items\] table, received none",
        ),
    ],
)
def test_what_needs_a_catalogue_is_refused_without_one(sections, sentence):
    with pytest.raises(ValidationError, match=sentence):
        described(**sections)


def test_a_refresh_has_no_catalogue_to_read_items_from(tmp_path):
    with pytest.raises(UsageError, match=r"expected data.items, .* received none"):
        refresh.read_items(described(), ["items.csv"], str(tmp_path))
