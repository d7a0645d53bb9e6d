"""Overlap of the ids of log and tables through the whole pipeline."""

import pyarrow as pa
import pytest

from components.ingest import refresh
from components.ingest.output import acceptance, counts
from components.ingest.output.id_overlap import IdOverlap
from schema.dataset import Dataset
from schema.errors import DataRefused

T0 = 1_600_000_000


def described(users: bool = False, **more) -> Dataset:
    source = {"path": "log.csv", **more.pop("source", {})}
    data = {"interactions": source, "items": {"path": "items.csv"}, **more}
    if users:
        data["users"] = {"path": "users.csv"}
    return Dataset.model_validate({"data": data})


def build_files(item: str, user: str = "u{}", items: str = "{}") -> dict[str, str]:
    """Twenty events of items 0 to 9, users 0 to 3; tables of items 0 to 11 and users 0 to 4."""
    events = [f"{user.format(n % 4)},{item.format(n % 10)},{T0 + n}" for n in range(20)]
    return {
        "log.csv": "\n".join(["user_id,item_id,timestamp", *events]),
        "items.csv": "\n".join(["item_id,title", *(f"{items.format(n)},t" for n in range(12))]),
        "users.csv": "\n".join(["user_id", *(f"u{n}" for n in range(5))]),
    }


def test_matching_ids_are_counted(lay, ingest_events):
    ingested = ingest_events(described(users=True), lay(build_files("{}")))
    assert ingested.counts.meetings == {
        "items": IdOverlap(20, 20, {}, {}, ["10", "11"]),
        "users": IdOverlap(4, 4, {}, {}, ["u4"]),
    }
    assert counts.parse(ingested.counts.to_json()) == ingested.counts
    acceptance.check(ingested.counts, described().data, "rejected")


@pytest.mark.parametrize(
    ("policy", "item", "reason"),
    [
        ("keep", "{}.0", "without a trailing .0 100.00% would match"),
        ("reject", "00000{}", "without leading zeros 100.00% would match"),
        ("fail", " {}", "100.00% would match: write ids alike in both tables or set strip_fields"),
        ("keep", "ITEM_{}", "without what stands before the first digit 100.00% would match"),
        ("keep", "x", "are the id columns of both tables right"),
        ("reject", "x", "are the id columns of both tables right"),
        ("fail", "x", "are the id columns of both tables right"),
    ],
)
def test_ids_that_do_not_match_stop_the_run_with_the_reason(
    lay, ingest_events, item, reason, policy
):
    dataset = described(source={"unknown_item": policy})
    ingested = ingest_events(dataset, lay(build_files(item)))
    with pytest.raises(DataRefused) as caught:
        acceptance.check(ingested.counts, dataset.data, "rejected")
    message = str(caught.value)
    assert "(data.min_known_items), received 0 of 20 (0.00%)" in message
    assert reason in message
    assert f"the log has {item.format(0)!r}" in message
    assert "the table '0', '1', '10'" in message
    assert "data.min_known_items" in message


def test_users_that_do_not_match_stop_the_run(lay, ingest_events):
    ingested = ingest_events(described(users=True), lay(build_files("{}", user="U{}")))
    with pytest.raises(DataRefused, match=r"0 of 4 .*'U0', 'U1', 'U2'.*without capital letters"):
        acceptance.check(ingested.counts, described().data, "rejected")
    acceptance.check(ingested.counts, described(min_known_users=0).data, "rejected")


def test_half_of_the_ids_is_enough_by_default(lay, ingest_events):
    # Items 0 to 4 of the ten are in the catalogue: each has two events.
    files = build_files("{}")
    files["items.csv"] = "item_id\n0\n1\n2\n3\n4\n"
    ingested = ingest_events(described(), lay(files))
    assert (ingested.counts.meetings["items"].met, ingested.counts.meetings["items"].total) == (
        10,
        20,
    )
    acceptance.check(ingested.counts, described().data, "rejected")
    with pytest.raises(DataRefused, match=r"at least 51\.00%.*10 of 20 \(50\.00%\)"):
        acceptance.check(ingested.counts, described(min_known_items=0.51).data, "rejected")


def test_a_refresh_refuses_events_of_another_catalogue(lay, tmp_path):
    folder = lay(build_files("{}.0"))
    catalogue = pa.array([str(n).encode() for n in range(12)], pa.large_binary())
    with pytest.raises(DataRefused, match=r"without a trailing \.0 100\.00% would match"):
        refresh.read_events(
            described(), [f"{folder}/log.csv"], str(tmp_path / "letters"), catalogue
        )


@pytest.mark.parametrize(("strips", "met"), [(True, 20), (False, 0)])
def test_blanks_around_ids_are_removed_if_configured(lay, ingest_events, strips, met):
    dataset = described(source={"strip_fields": strips})
    assert ingest_events(dataset, lay(build_files(" {} "))).counts.meetings["items"].met == met
