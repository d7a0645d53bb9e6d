"""A planted log, written in many ways, is read back from the draft of its configuration."""

import csv
import datetime
import io
import json
import pathlib
import tempfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.ingest.draft import Draft, draft_tables
from components.ingest.events.event_tables import build_events_spec
from components.ingest.read_table import read_in_process
from schema.dataset import Dataset
from schema.errors import DataRefused, UsageError

T0 = 1_700_000_000
EVENTS = [(f"u{n % 7}", f"i{n % 11}", T0 + 86_400 * n + 60 * n) for n in range(40)]
UTC = datetime.timezone.utc


def clock(at: int, pattern: str) -> str:
    return datetime.datetime.fromtimestamp(at, UTC).strftime(pattern)


TIMES = {
    "s": str,
    "ms": lambda at: str(1000 * at + 5),
    "us": lambda at: str(10**6 * at + 5),
    "ns": lambda at: str(10**9 * at + 5),
    "iso": lambda at: clock(at, "%Y-%m-%d %H:%M:%S"),
    "zone": lambda at: clock(at, "%Y-%m-%dT%H:%M:%SZ"),
    "german": lambda at: clock(at, "%d.%m.%Y %H:%M:%S"),
    "american": lambda at: clock(at, "%m/%d/%Y %I:%M:%S %p"),
    "twitter": lambda at: clock(at, "%a %b %d %H:%M:%S +0000 %Y"),
}
HEADERS = (
    None,
    ("user_id", "item_id", "timestamp", "note"),
    ("CustomerID", "SKU", "created_at", "note"),
    ("visitor", "movieId:token", "date", "note"),
)


def write_delimited(rows: list[tuple], delimiter: str, quotes: bool) -> str:
    """As the standard library writes it; delimiters of several characters have no quotes."""
    if len(delimiter) > 1:
        return "".join(delimiter.join(map(str, row)) + "\n" for row in rows)
    out = io.StringIO()
    quoting = csv.QUOTE_ALL if quotes else csv.QUOTE_MINIMAL
    csv.writer(out, delimiter=delimiter, lineterminator="\n", quoting=quoting).writerows(rows)
    return out.getvalue()


def read_events(draft: Draft, folder: str) -> list[tuple[str, str, int]]:
    log = draft.tables[0]
    dataset = Dataset.model_validate({"data": {"interactions": log.keys}})
    done = read_in_process(
        build_events_spec(dataset, 0, 1), [f"{folder}/{log.keys['path']}"], folder
    )
    columns = [done.records[name].to_pylist() for name in ("user_id", "item_id")]
    seconds = [at // 10**9 for at in done.records["moment"].to_pylist()]
    return sorted(zip(*columns, seconds, strict=True))


@settings(max_examples=60, deadline=None)
@given(
    delimiter=st.sampled_from([",", ";", "\t", "|", "::"]),
    time=st.sampled_from(sorted(TIMES)),
    header=st.sampled_from(HEADERS),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "cp1252", "utf-16"]),
    quotes=st.booleans(),
    preamble=st.sampled_from(["", "# exported today\n# by hand\n"]),
)
def test_a_log_is_read_back_however_it_is_written(
    delimiter, time, header, encoding, quotes, preamble
):
    notes = ["", "größer", 'a "b" c', "plain", "semi; comma, bar | tab"]
    notes = notes[:2] if len(delimiter) > 1 else notes
    rows = [
        (user, item, TIMES[time](at), notes[n % len(notes)])
        for n, (user, item, at) in enumerate(EVENTS)
    ]
    text = preamble + write_delimited([header, *rows] if header else rows, delimiter, quotes)
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "log.csv").write_bytes(text.encode(encoding))
        draft = draft_tables(folder)
        assert read_events(draft, folder) == sorted(EVENTS)


def lay(folder: pathlib.Path, **files: str) -> str:
    for name, text in files.items():
        (folder / name.replace("_csv", ".csv")).write_text(text, encoding="utf-8")
    return str(folder)


def write_log(header: str = "user_id,item_id,timestamp", more: str = "") -> str:
    return header + "\n" + "".join(f"{u},{i},{at}{more}\n" for u, i, at in EVENTS)


def test_kinds_of_features_follow_the_values(tmp_path):
    rows = [
        f'i{n},Lamp no {n} of many,{n}.5,{"red" if n % 2 else "blue"},"desk, hall",'
        f"2024-01-0{n % 9 + 1},"
        f"https://example.com/{n},{'true' if n % 3 else 'false'},{n % 2},{n * 3}\n"
        for n in range(11)
    ]
    header = "item_id,name,price,colour,rooms,released,image,fragile,in_stock,review_count\n"
    draft = draft_tables(lay(tmp_path, log_csv=write_log(), things_csv=header + "".join(rows)))
    items = draft.tables[1]
    assert items.keys == {"path": "things.csv", "title": "name", "available": "in_stock"}
    assert items.features.chosen == {
        "name": {"kind": "text"},
        "price": {"kind": "number"},
        "colour": {"kind": "category"},
        "rooms": {"kind": "set", "separator": ", "},
        "released": {"kind": "timestamp", "unit": "iso8601"},
        "fragile": {"kind": "category"},
    }
    assert items.features.held_back == {"review_count": {"kind": "number"}}


def test_numbers_with_commas_and_sentinels_get_their_keys(tmp_path):
    rows = "".join(f"i{n};1.00{n},50;{'-' if n == 3 else n}\n" for n in range(9))
    files = {"log_csv": write_log(), "items_csv": "item_id;price;stock\n" + rows}
    items = draft_tables(lay(tmp_path, **files)).tables[1]
    assert (items.keys["decimal"], items.keys["thousands"]) == (",", ".")
    assert items.keys["null_values"][-1] == "-"


def test_doubts_name_other_possible_columns(tmp_path):
    header = "user_id,item_id,timestamp,session_id,sku"
    log = write_log(header, ",s1,x9")
    doubts = draft_tables(lay(tmp_path, log_csv=log)).tables[0].doubts
    assert "user_id: session_id could be it too" in doubts
    assert "item_id: sku could be it too" in doubts


def test_times_from_zero_get_an_origin_and_a_doubt(tmp_path):
    log = "uid,campaign,timestamp\n" + "".join(f"{n % 5},{n % 3},{n}\n" for n in range(30))
    draft = draft_tables(lay(tmp_path, log_csv=log))
    assert draft.tables[0].keys["timestamp_origin"] == "2020-01-01T00:00:00Z"
    assert draft.tables[0].doubts[0].startswith("timestamp_origin: ")


def test_ratings_outcomes_and_kinds_of_events_are_found(tmp_path):
    header = "user_id,item_id,timestamp,stars,click,event"
    lines = [
        f"{u},{i},{at},{n % 5},{n % 2},{'buy' if n % 3 else 'view'}\n"
        for n, (u, i, at) in enumerate(EVENTS)
    ]
    draft = draft_tables(lay(tmp_path, log_csv=header + "\n" + "".join(lines)))
    assert draft.labels == {
        "rating": {"column": "stars", "kind": "regression"},
        "click": {"column": "click", "kind": "binary"},
    }
    assert draft.events == {"event": ["buy", "view"]}


def test_files_of_numbered_parts_are_one_table(tmp_path):
    lines = write_log().splitlines(keepends=True)
    for part in (1, 2, 10):
        (tmp_path / f"log-{part}.csv").write_text("".join([lines[0], *lines[part::3]]))
    assert draft_tables(str(tmp_path)).tables[0].keys["path"] == "log-*.csv"


def test_pairs_without_a_header_are_a_log_if_both_ids_recur(tmp_path):
    (tmp_path / "pairs.txt").write_text(
        "".join(f"{n % 5}\t{n % 7}\t{n % 3}.0\n" for n in range(30))
    )
    (tmp_path / "names.txt").write_text("".join(f"{n}\tLamp {n % 2}\t1\n" for n in range(7)))
    log, items = draft_tables(str(tmp_path)).tables
    assert log.keys["columns"] == ["user_id", "item_id", "rating"]
    assert (log.keys["timestamp"], items.keys["path"]) == ("", "names.txt")


def test_files_of_one_name_in_several_folders_are_one_table(tmp_path):
    lines = write_log().splitlines(keepends=True)
    for part, folder in enumerate(("train", "dev")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "log.csv").write_text("".join([lines[0], *lines[1 + part :: 2]]))
    assert draft_tables(str(tmp_path)).tables[0].keys["path"] == "*/log.csv"


def test_shown_items_with_marks_are_impressions(tmp_path):
    rows = [
        f"{n}\tU{n % 3}\t{T0 + n}\t{'' if n % 2 else 'N9 N12'}\tN{n % 4}-1 N{n % 4 + 1}-0\n"
        for n in range(20)
    ]
    news = "".join(f"N{n}\tnews\tThe long mile no {n}\n" for n in range(13))
    (tmp_path / "behaviors.tsv").write_text("".join(rows))
    (tmp_path / "news.tsv").write_text(news)
    log, items = draft_tables(str(tmp_path)).tables
    assert {key: log.keys[key] for key in ("user_id", "timestamp", "impressions", "history")} == {
        "user_id": "column_2",
        "timestamp": "column_3",
        "impressions": {"shown": "column_5", "clicked": "suffix"},
        "history": {"column": "column_4"},
    }
    assert (items.keys["path"], items.keys["title"]) == ("news.tsv", "column_3")


def test_parquet_and_nested_json_are_read_back(tmp_path):
    times = [datetime.datetime.fromtimestamp(at, UTC) for _, _, at in EVENTS]
    users, ids = [user for user, _, _ in EVENTS], [item for _, item, _ in EVENTS]
    log = pa.table({"user": [{"id": user} for user in users], "sku": ids, "at": times})
    pq.write_table(log, tmp_path / "log.parquet")
    rows = [
        {"sku": f"i{n}", "about": {"name": f"Lamp {n}"}, "kinds": [{"name": "a"}, {"name": "b"}]}
        for n in range(11)
    ]
    (tmp_path / "items.json").write_text(json.dumps(rows, indent=2))
    draft = draft_tables(str(tmp_path))
    assert draft.tables[0].keys == {
        "path": "log.parquet",
        "format": "parquet",
        "user_id": "user.id",
        "item_id": "sku",
        "timestamp": "at",
    }
    assert read_events(draft, str(tmp_path)) == sorted(EVENTS)
    items = draft.tables[1]
    assert items.keys == {
        "path": "items.json",
        "format": "json",
        "item_id": "sku",
        "title": "about.name",
    }
    assert items.features.chosen == {
        "about_name": {"kind": "text", "column": "about.name"},
        "kinds_name": {"kind": "set", "column": "kinds[].name"},
    }


def test_a_folder_without_a_log_is_refused_with_what_is_there(tmp_path):
    (tmp_path / "items.csv").write_text("item_id,name\n1,Lamp\n2,Desk\n")
    (tmp_path / "notes.txt").write_text("first\nsecond line\n")
    with pytest.raises(DataRefused) as refused:
        draft_tables(str(tmp_path))
    assert "with columns of users and items, received none (" in str(refused.value)
    assert "items.csv with columns item_id, name" in str(refused.value)
    assert "notes.txt: text without a delimiter" in str(refused.value)


def test_a_log_without_times_is_split_at_random_with_a_doubt(tmp_path):
    (tmp_path / "likes.csv").write_text("user_id,item_id\n" + "1,2\n3,4\n" * 9)
    draft = draft_tables(str(tmp_path))
    assert draft.tables[0].keys == {"path": "likes.csv", "timestamp": ""}
    assert (draft.split, draft.has_times) == ("random", False)
    assert draft.tables[0].doubts == ["timestamp: no column of times was found; are there times?"]


@pytest.mark.parametrize(
    ("names", "splits"),
    [
        (("train.csv", "test.csv"), ["train", "test"]),
        (("log_train.csv", "log_val.csv", "log_test.csv"), ["train", "valid", "test"]),
        (("train.csv", "contest.csv"), [None]),
    ],
)
def test_files_named_after_splits_are_their_parts(tmp_path, names, splits):
    for n, name in enumerate(names):
        (tmp_path / name).write_text(write_log() + f"u{n},i1,{T0 + n}\n")
    draft = draft_tables(str(tmp_path))
    assert [table.keys.get("split") for table in draft.tables] == splits
    assert draft.split == ("files" if len(splits) > 1 else "clock")


def test_a_folder_that_is_none_is_refused(tmp_path):
    with pytest.raises(UsageError, match="expected a folder with data, found none"):
        draft_tables(str(tmp_path / "nowhere"))
    with pytest.raises(UsageError, match="expected files with data"):
        draft_tables(str(tmp_path))


def draft_files(folder: pathlib.Path, **files: str) -> Draft:
    """The draft for text files, of which each name has its last `_` for the dot."""
    for name, text in files.items():
        stem, _, ending = name.rpartition("_")
        (folder / f"{stem}.{ending}").write_text(text)
    return draft_tables(str(folder))


def test_a_file_with_the_item_on_a_line_of_its_own_is_refused(tmp_path):
    text = "".join(f"{m}:\n" + "".join(f"{n},{n % 5 + 1},2005-09-06\n" for n in range(30))
                   for m in (1, 2))  # fmt: skip
    with pytest.raises(DataRefused, match="a line such as 1: names the item of the lines below"):
        draft_files(tmp_path, combined_txt=text)


def test_a_rating_is_no_id(tmp_path):
    rows = [f"u{n % 9},{n % 5 + 1},i{n % 13},{T0 + n}" for n in range(60)]
    keys = draft_files(tmp_path, log_csv="\n".join(rows) + "\n").tables[0].keys
    assert keys["columns"] == ["user_id", "rating", "item_id", "timestamp"]


def test_times_of_an_unknown_form_stay_times(tmp_path):
    rows = [f"u{n % 9},i{n % 13},{n % 28 + 1} of March 2024" for n in range(60)]
    draft = draft_files(tmp_path, log_csv="user_id,item_id,purchase date\n" + "\n".join(rows))
    assert draft.tables[0].keys["timestamp"] == "purchase date"
    assert (draft.has_times, draft.split) == (True, "clock")
    assert "values such as '1 of March 2024' have no known form" in draft.tables[0].doubts[-1]


@pytest.mark.parametrize(
    ("times", "form"),
    [
        (lambda n: f"{n % 12 + 1}/{n % 28 + 1}/2024 8:{n:02} AM", "%m/%d/%Y %I:%M %p"),
        (lambda n: f"202403{n % 28 + 1:02}", "%Y%m%d"),
    ],
)
def test_forms_of_times_and_their_zone(tmp_path, times, form):
    rows = [f"u{n % 9},i{n % 13},{times(n)}" for n in range(60)]
    draft = draft_files(tmp_path, log_csv="user_id,item_id,date\n" + "\n".join(rows))
    assert draft.tables[0].keys["timestamp_format"] == form
    assert draft.tables[0].doubts[-1].startswith("timezone: the times state none")


def test_durations_are_no_times(tmp_path):
    rows = [f"u{n % 9},i{n % 13},{n}.5" for n in range(60)]
    draft = draft_files(tmp_path, log_csv="user_id,item_id,time\n" + "\n".join(rows))
    assert (draft.has_times, draft.split) == (False, "random")


def test_objects_of_extended_json_are_values(tmp_path):
    records = [
        {"customer": {"$oid": f"{n % 9:024x}"}, "product": f"i{n % 13}",
         "createdAt": {"$date": f"2024-03-{n % 28 + 1:02}T08:00:00Z"}}
        for n in range(60)
    ]  # fmt: skip
    draft = draft_files(tmp_path, orders_jsonl="".join(json.dumps(r) + "\n" for r in records))
    assert draft.tables[0].keys == {
        "path": "orders.jsonl", "format": "jsonl", "user_id": "customer", "item_id": "product",
        "timestamp": "createdAt",
    }  # fmt: skip


def test_objects_in_a_cell_are_no_feature_and_printed_lists_are_sets(tmp_path):
    log = "user_id,item_id,timestamp\n" + "".join(f"{u},{i},{at}\n" for u, i, at in EVENTS)
    items = "item_id,cast,genres\n" + "".join(
        f'i{n},"[{{""id"": {n}, ""name"": ""Actor, {n % 3}""}}]","[\'Drama\', \'War\']"\n'
        for n in range(11)
    )
    draft = draft_files(tmp_path, log_csv=log, movies_csv=items)
    (table,) = (each for each in draft.tables if each.kind == "items")
    assert table.features.chosen == {"genres": {"kind": "set"}}


def test_sessions_and_kinds_of_events_are_doubted(tmp_path):
    rows = [f"s{n % 9},i{n % 13},{T0 + n},{'view' if n % 3 else 'buy'}" for n in range(60)]
    log = "session_id,item_id,timestamp,action\n" + "\n".join(rows)
    draft = draft_files(tmp_path, clicks_csv=log)
    assert draft.tables[0].doubts == [
        "user_id: are the users sessions, which do not return?",
        "labels.events: action is a kind of event; which kinds are positive, with which weights?",
    ]
