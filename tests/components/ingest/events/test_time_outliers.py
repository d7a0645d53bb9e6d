"""Events far from all others in time, through the whole pipeline."""

import datetime

import pytest

from components.ingest.events import rules as event_rules
from components.ingest.output import acceptance
from schema.dataset import Dataset

T0 = 1_600_000_000  # 2020-09-13T12:26:40Z
HEADER = "user_id,item_id,timestamp\n"
LOG = [f"u{n % 7},i{n},{T0 + 3600 * n}" for n in range(60)]
IN_2099 = "u3,stray,4070908800"
IN_1990 = "u4,old,631152000"


def described(split: str = "clock", **source) -> Dataset:
    data = {"interactions": {"path": "log.csv", **source}, "items": {"path": "items.csv"}}
    return Dataset.model_validate({"data": data, "split": {"kind": split}})


def log(*lines: str) -> dict[str, str]:
    return {"log.csv": HEADER + "".join(f"{line}\n" for line in lines)}


def test_stragglers_are_kept_counted_and_shown(lay, ingest_events):
    ingested = ingest_events(described(), lay(log(IN_2099, *LOG, IN_1990)))
    totals = ingested.counts.totals
    assert (totals["t_begin"], totals["t_end"]) == (T0, T0 + 59 * 3600 + 1)
    assert (totals["early_stragglers"], totals["late_stragglers"]) == (1, 1)
    assert totals["future_events"] == 1
    assert ingested.counts.samples == {
        "early_stragglers": ["1990-01-01T00:00:00Z user 'u4', item 'old'"],
        "late_stragglers": ["2099-01-01T00:00:00Z user 'u3', item 'stray'"],
        "future_events": ["2099-01-01T00:00:00Z user 'u3', item 'stray'"],
    }
    assert ingested.counts.tables["interactions"].accepted == 62
    assert ("u3", "stray", 4_070_908_800) in ingested.events("test")


@pytest.mark.parametrize("split", ["clock", "last_item"])
def test_rejected_stragglers_leave_no_trace_in_the_result(lay, ingest_events, split):
    plain = ingest_events(described(split), lay(log(*LOG), "plain"), "one")
    rejecting = described(split, time_outliers="reject")
    ingested = ingest_events(rejecting, lay(log(IN_2099, *LOG, IN_1990), "strays"), "two")
    for part in ("train", "valid", "test"):
        assert ingested.examples(part) == plain.examples(part)
    assert ingested.letters("interactions") == [
        ("log.csv", 2, "straggler", IN_2099),
        ("log.csv", 63, "straggler", IN_1990),
    ]
    table = ingested.counts.tables["interactions"]
    assert (table.read, table.accepted, table.rejected) == (62, 60, 2)
    assert plain.counts.samples == {}
    assert set(plain.counts.totals).isdisjoint(event_rules.TIME_OUTLIERS)
    lenient = rejecting.data.replace_values(max_rejected_fraction=0.1)
    acceptance.check(ingested.counts, lenient, str(ingested.root / "rejected"))


def test_stragglers_and_late_rules_have_separate_dead_letters(lay, ingest_events):
    source = described(time_outliers="reject", max_events_per_user_and_day=1)
    days = [f"u1,i{n},{T0 + 86_400 * n}" for n in range(20)]
    twice = f"u1,again,{T0 + 1}"
    ingested = ingest_events(source, lay(log(*days, twice, "u1,stray,4070908800")))
    reasons = ingested.counts.tables["interactions"].rejected_by_reason
    assert reasons == {"straggler": 1, "too_many_events": 1}
    letters = [(line, reason) for _, line, reason, _ in ingested.letters("interactions")]
    assert letters == [(22, "too_many_events"), (23, "straggler")]


def test_events_after_not_after_are_rejected(lay, ingest_events):
    until = T0 + 58 * 3600
    moment = datetime.datetime.fromtimestamp(until, datetime.timezone.utc)
    source = described(not_after=moment.isoformat())
    at_it, beyond = f"u1,at,{until}", f"u1,beyond,{until}.5"
    ingested = ingest_events(source, lay(log(*LOG, IN_2099, at_it, beyond)))
    assert ingested.letters("interactions") == [
        ("log.csv", 61, "timestamp_out_of_range", LOG[59]),
        ("log.csv", 62, "timestamp_out_of_range", IN_2099),
        ("log.csv", 64, "timestamp_out_of_range", beyond),
    ]
    assert ingested.counts.totals["t_end"] == until + 1
    assert ingested.counts.samples == {}


@pytest.mark.parametrize("wrong", ["2020-09-13T12:26:40", "soon"])
def test_not_after_requires_a_time_zone(wrong):
    with pytest.raises(ValueError, match="not_after"):
        described(not_after=wrong)
