"""A log of several kinds of events, in the shape of RetailRocket's, and one with counts."""

import dataclasses
import math

import pyarrow as pa
import pytest

from components.ingest import refresh
from components.ingest.events.event_tables import build_events_spec
from components.ingest.output import acceptance, counts, dead_letters
from components.ingest.read_table import read_in_process
from schema.dataset import Dataset
from schema.errors import DataRefused

T0 = 1_433_221_332_000
EVENTS = {
    "column": "event",
    "positive": {"addtocart": 2, "transaction": 5},
    "ignore": ["view"],
}


def described(**labels) -> Dataset:
    log = {
        "path": "events.csv",
        "user_id": "visitorid",
        "item_id": "itemid",
        "timestamp_unit": "ms",
    }
    return Dataset.model_validate({"data": {"interactions": log}, "labels": labels})


def shop(*kinds: str) -> str:
    """One visitor's events with distinct items, a second apart."""
    rows = [f"{T0 + 1000 * n},8,{kind},{n}," for n, kind in enumerate(kinds)]
    return "\n".join(["timestamp,visitorid,event,itemid,transactionid", *rows, ""])


def read_events(ingested, column):
    """(item, positive, value of `column`) of all events, in order of time."""
    result = []
    for split in ("train", "valid", "test"):
        for example in ingested.examples(split):
            events = zip(example["item_ids"], example["positive"], example[column], strict=True)
            result += list(events)[example["target_from"][0] :]
    return result


SHOP = shop("view", "addtocart", "transaction", "", *["addtocart"] * 8, "wish", "view", "view")


def test_kinds_decide_what_an_event_is(ingest_events, lay):
    ingested = ingest_events(described(events=EVENTS), lay({"events.csv": SHOP}))
    assert read_events(ingested, "weight") == [
        ("1", 1, 2.0),
        ("2", 1, 5.0),
        ("3", 0, 0.0),
        *((str(n), 1, 2.0) for n in range(4, 12)),
        ("12", 0, 0.0),
    ]
    log = ingested.counts.tables["interactions"]
    assert (log.read, log.accepted, log.unused, log.rejected) == (15, 12, 3, 0)
    assert log.unnamed_kinds == {"": 1, "wish": 1}
    acceptance.check(ingested.counts, described(events=EVENTS).data, "rejected")


def test_equal_weights_leave_no_column(ingest_events, lay):
    events = EVENTS | {"positive": {"addtocart": 1, "transaction": 1}}
    ingested = ingest_events(described(events=events), lay({"events.csv": SHOP}))
    assert all("weight" not in example for example in ingested.examples("train"))


def test_a_log_without_a_named_kind_is_refused(ingest_events, lay):
    folder = lay({"events.csv": shop(*["Purchase"] * 9, "Basket")})
    ingested = ingest_events(described(events=EVENTS), folder)
    with pytest.raises(DataRefused, match=r"received only others: Purchase \(9\), Basket \(1\)"):
        acceptance.check(ingested.counts, described(events=EVENTS).data, "rejected")


def test_a_refresh_counts_the_positive_kinds(lay, tmp_path):
    folder = lay({"events.csv": SHOP})
    known = pa.array([str(n).encode() for n in range(15)], pa.large_binary())
    dataset = described(events=EVENTS)
    read = refresh.read_events(dataset, [f"{folder}/events.csv"], str(tmp_path / "r"), known)
    assert read.records["item_id"].to_pylist() == ["1", "2", *map(str, range(4, 12))]
    assert read.counts.tables["interactions"].unused == 3


def read_log(tmp_path, rows: list[str], **labels):
    """Records, counts and reasons of rejection of a log with EVENTS, read in process."""
    path = tmp_path / "events.csv"
    path.write_text("\n".join(["timestamp,visitorid,event,itemid,plays", *rows, ""]))
    spec = build_events_spec(described(events=EVENTS, **labels), 0, 1)
    letters = dead_letters.prepare(str(tmp_path / "rejected"), spec.name)
    read = read_in_process(spec, [str(path)], letters)
    return read.records, counts.sum_tallies(read.tallies, (spec.name,), {}).tables[spec.name]


def test_an_ignored_event_needs_no_id_and_no_time(tmp_path):
    stars = {"stars": {"column": "plays", "kind": "regression"}}
    rows = [
        f"{T0},8,view,,x",
        ",,view,4,x",
        "soon,8, view ,4,x",
        f"{T0},8,addtocart,,1",
        f"{T0},8,addtocart,5,1",
        f"{T0},8,wish,6,x",
    ]
    records, log = read_log(tmp_path, rows, ranking=stars)
    assert records["item_id"].to_pylist() == ["5", "6"]
    assert (log.read, log.unused, log.rejected_by_reason) == (6, 3, {"missing_item_id": 1})
    assert log.unreadable["labels.ranking.stars.column"]["values"] == 1
    assert (log.named_kinds, log.unnamed_kinds) == (1, {"wish": 1})


@pytest.mark.parametrize("kind", ["view", "wish"])
def test_a_refresh_needs_no_positive_event(lay, tmp_path, kind):
    folder = lay({"events.csv": shop(kind, kind)})
    known = pa.array([b"0", b"1"], pa.large_binary())
    dataset = described(events=EVENTS)
    read = refresh.read_events(dataset, [f"{folder}/events.csv"], str(tmp_path / "r"), known)
    assert read.records.num_rows == 0


def test_counts_are_weights(ingest_events, lay):
    header = "timestamp,visitorid,plays,itemid\n"
    plays = [0, 1, 99, "", 3, 3, 3, 3, 3, -2]
    rows = "".join(f"{T0 + 1000 * n},8,{count},{n}\n" for n, count in enumerate(plays))
    dataset = described(weight={"column": "plays"})
    ingested = ingest_events(dataset, lay({"events.csv": header + rows}))
    weights = [weight for _, _, weight in read_events(ingested, "weight")]
    expected = [1, 1 + math.log(2), 1 + math.log(100), 1, *[1 + math.log(4)] * 5, 1]
    assert weights == pytest.approx(expected, rel=1e-6)
    log = ingested.counts.tables["interactions"]
    assert log.unreadable["labels.weight.column"] == {
        "values": 1,
        "example": "column 'plays' expects a number, 0 or more, received '-2'",
    }
    assert dataclasses.asdict(log)["unnamed_kinds"] == {}
