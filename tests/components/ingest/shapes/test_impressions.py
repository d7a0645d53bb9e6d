"""Items that were shown and not clicked, in the forms that public logs have."""

import json

import pytest
from pydantic import ValidationError

from components.ingest import preflight
from components.ingest.output import acceptance
from schema.dataset import Dataset
from schema.errors import ConfigError

T0 = 1_573_430_400  # 2019-11-11T00:00:00Z
MIND = {
    "path": "behaviors.tsv",
    "delimiter": "\t",
    "quote": "",
    "columns": ["impression_id", "user", "time", "history", "impressions"],
    "user_id": "user",
    "timestamp": "time",
    "timestamp_format": "%m/%d/%Y %I:%M:%S %p",
    "impressions": {"shown": "impressions", "clicked": "suffix"},
    "history": {"column": "history"},
}
# The rows of a user repeat the history, and are in no order of time.
BEHAVIORS = [
    "1\tU8\t11/11/2019 9:05:58 AM\tN3 N1\tN7-0 N12-1 N5-0",
    "2\tU8\t11/11/2019 9:04:01 AM\tN3 N1\tN2-1 N4-0 N6-1 N2-0",
    "3\tU9\t11/11/2019 9:06:00 AM\t\tN7-0 N5-0",
    "4\tU9\t11/11/2019 9:07:00 AM\t\tN1-0 N5-1",
    "5\tU9\t11/11/2019 9:08:00 AM\t\tN1-0 N5",
    "6\tU7\t11/11/2019 9:09:00 AM\tN9\tN8-1",
    "7\tU7\t11/11/2019 9:10:00 AM\tN9\tN2-1 N3-0",
    "8\tU7\t11/11/2019 9:11:00 AM\tN9\tN3-1",
    "9\tU7\t11/11/2019 9:12:00 AM\tN9\tN4-1 N1-0",
]
AT_9 = T0 + 9 * 3600


def described(log: dict, **more) -> Dataset:
    return Dataset.model_validate({"data": {"interactions": log, **more}})


def shown_of(example) -> list[list[str]]:
    """Shown items of each event of a timeline."""
    items = iter(example["shown"])
    return [[next(items) for _ in range(count)] for count in example["shown_counts"]]


def read_events(done):
    """(user, item, time, items shown and not clicked) of the events of all splits, by time."""
    found = []
    for split in ("train", "valid", "test"):
        for example in done.examples(split):
            columns = (example["item_ids"], example["timestamps"], shown_of(example))
            events = list(zip(*columns, strict=True))[example["target_from"][0] :]
            found += [(example["user_id"][0], *event) for event in events]
            before = shown_of(example)[: example["target_from"][0]]
            assert not any(before)  # they belong to the split of their event
    return sorted(found, key=lambda event: event[2])


def test_clicks_are_events_and_the_rest_of_an_impression_is_shown(ingest_events, lay):
    done = ingest_events(described(MIND), lay({"behaviors.tsv": "\n".join([*BEHAVIORS, ""])}))
    assert read_events(done) == [
        ("U8", "N2", AT_9 + 241, ["N4", "N2"]),
        ("U8", "N6", AT_9 + 241, ["N4", "N2"]),
        ("U8", "N12", AT_9 + 358, ["N7", "N5"]),
        ("U9", "N5", AT_9 + 420, ["N1"]),
        ("U7", "N8", AT_9 + 540, []),
        ("U7", "N2", AT_9 + 600, ["N3"]),
        ("U7", "N3", AT_9 + 660, []),
        ("U7", "N4", AT_9 + 720, ["N1"]),
    ]
    log = done.counts.tables["interactions"]
    assert (log.read, log.accepted, log.unused) == (10, 8, 1)
    assert log.rejected_by_reason == {"bad_impression": 1}
    data = described(MIND, max_rejected_fraction=0.1).data
    acceptance.check(done.counts, data, "rejected")


def test_an_earlier_history_comes_once_before_the_log(ingest_events, lay):
    from components.ingest.output import histories

    done = ingest_events(described(MIND), lay({"behaviors.tsv": "\n".join([*BEHAVIORS, ""])}))
    history = histories.look_up(done.histories, "U8")
    assert history is not None
    assert history.item_ids == ["N3", "N1", "N2", "N6", "N12"]
    begin = AT_9 + 241  # of the log
    assert history.timestamps == [begin - 2, begin - 1, begin, begin, AT_9 + 358]
    [first] = [each for each in done.examples("train") if each["user_id"] == ["U8"]]
    assert first["item_ids"][: first["target_from"][0]] == ["N3", "N1"]
    totals = done.counts.totals
    assert totals["train"] + totals["valid"] + totals["test"] == 8


def test_earlier_histories_are_no_events_of_a_split_by_days(ingest_events, lay):
    days = [f"{n}\tU1\t11/{11 + n}/2019 9:00:00 AM\tN3 N1\tN{n + 20}-1 N7-0" for n in range(8)]
    split = {"kind": "window", "train_days": 3, "valid_days": 1, "test_days": 1}
    dataset = Dataset.model_validate({"data": {"interactions": MIND}, "split": split})
    done = ingest_events(dataset, lay({"behaviors.tsv": "\n".join([*days, ""])}))
    totals = done.counts.totals
    assert (totals["before"], totals["train"], totals["valid"], totals["test"]) == (3, 3, 1, 1)
    log = done.counts.tables["interactions"]
    assert log.accepted == log.read == 8
    [train] = done.examples("train")
    assert train["item_ids"][: train["target_from"][0]] == ["N3", "N1", "N20", "N21", "N22"]


LISTS = [
    {"user": 1, "clicked": [7], "inview": [5, 7, 9]},
    {"user": 1, "clicked": [5, 9], "inview": [5, 7, 9]},
    {"user": 2, "clicked": [], "inview": [5, 6]},
    {"user": 2, "clicked": [8], "inview": None},
    *({"user": 3, "clicked": [n], "inview": [n, 4]} for n in range(10, 14)),
]
AS_LISTS = [
    ("1", "7", ["5", "9"]),
    ("1", "5", ["7"]),
    ("1", "9", ["7"]),
    ("2", "8", []),
    *(("3", str(n), ["4"]) for n in range(10, 14)),
]


def write_lines(rows) -> str:
    return "".join(json.dumps(row | {"timestamp": T0 + n}) + "\n" for n, row in enumerate(rows))


def listed(**keys) -> dict:
    return {
        "path": "log.jsonl",
        "format": "jsonl",
        "user_id": "user",
        "item_id": "clicked",
        "impressions": {"shown": "inview"},
    } | keys


def test_lists_of_shown_and_of_clicked_items(ingest_events, lay):
    dataset = described(listed(basket={}))
    done = ingest_events(dataset, lay({"log.jsonl": write_lines(LISTS)}))
    assert [(user, item, shown) for user, item, _, shown in read_events(done)] == AS_LISTS
    log = done.counts.tables["interactions"]
    assert (log.read, log.accepted, log.unused, log.rejected) == (9, 8, 1, 0)


def test_one_clicked_item_and_a_text_of_shown_ones(ingest_events, lay):
    rows = [
        {"user": "a", "clicked": "h2", "inview": "h1|h2|h3"},
        {"user": "a", "clicked": "h9", "inview": ""},
        {"user": "b", "clicked": "", "inview": "h1|h2"},
        {"user": "b", "clicked": "h4", "inview": "h4"},
        *({"user": "c", "clicked": f"h{n}", "inview": "h1|h2"} for n in range(4)),
    ]
    log = listed(impressions={"shown": "inview", "separator": "|"})
    done = ingest_events(described(log), lay({"log.jsonl": write_lines(rows)}))
    assert [(item, shown) for _, item, _, shown in read_events(done)] == [
        ("h2", ["h1", "h3"]),
        ("h9", []),
        ("h4", []),
        ("h0", ["h1", "h2"]),
        ("h1", ["h2"]),
        ("h2", ["h1"]),
        ("h3", ["h1", "h2"]),
    ]
    assert done.counts.tables["interactions"].unused == 1


@pytest.mark.parametrize("first", [0, 1])
def test_positions_of_clicked_items(ingest_events, lay, first):
    clicks = [first, first + 2, first - 1, None, first + 3, "second", *[first + 1] * 5]
    rows = [{"user": 1, "clicked": at, "inview": [20, 30, 40]} for at in clicks]
    rule = {"shown": "inview", "clicked": "position", "first_position": first}
    dataset = described(listed(impressions=rule))
    done = ingest_events(dataset, lay({"log.jsonl": write_lines(rows)}))
    assert [(item, shown) for _, item, _, shown in read_events(done)] == [
        ("20", ["30", "40"]),
        ("40", ["20", "30"]),
        *[("30", ["20", "40"])] * 5,
    ]
    log = done.counts.tables["interactions"]
    assert (log.read, log.unused) == (11, 2)
    assert log.rejected_by_reason == {"bad_impression": 2}


def test_tables_with_and_without_impressions_are_one_log(ingest_events, lay):
    views = {"path": "views.csv", "columns": ["user_id", "item_id", "timestamp"]}
    files = {
        "log.jsonl": write_lines(LISTS[4:]),
        "views.csv": "".join(f"3,{n},{T0 - n}\n" for n in range(1, 4)),
    }
    data = {"interactions": [listed(basket={}), views]}
    done = ingest_events(Dataset.model_validate({"data": data}), lay(files))
    assert [(item, shown) for _, item, _, shown in read_events(done)] == [
        *((str(n), []) for n in (3, 2, 1)),
        *((str(n), ["4"]) for n in range(10, 14)),
    ]


def test_missing_columns_are_named(lay):
    folder = lay({"log.jsonl": write_lines(LISTS)})
    with pytest.raises(ConfigError, match=r"impressions.shown expects column 'seen'"):
        preflight.check(described(listed(impressions={"shown": "seen"}, basket={})), folder)
    with pytest.raises(ConfigError, match=r"history.column expects column 'past'"):
        preflight.check(described(listed(basket={}, history={"column": "past"})), folder)


@pytest.mark.parametrize(
    ("clicked", "remedy"),
    [("suffix", "a name that no column has"), ("item_id", "the column of clicks")],
)
def test_shown_and_clicked_items_have_different_columns(clicked, remedy):
    rule = {"shown": "item_id", "clicked": clicked}
    with pytest.raises(ValidationError, match=f"shown expects another name than item_id.*{remedy}"):
        described({"path": "log.csv", "impressions": rule})


def test_the_format_of_mind_passes_the_preflight(lay):
    preflight.check(described(MIND), lay({"behaviors.tsv": "\n".join([*BEHAVIORS, ""])}))
