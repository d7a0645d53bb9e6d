"""Errors of the checks before a run."""

import json
import pathlib

import pytest

from components.ingest import preflight
from components.ingest.fingerprint import compute_input_fingerprint
from schema.dataset import Dataset
from schema.errors import ConfigError, DataRefused

GOOD = {"log.csv": "user_id,item_id,timestamp\na,x,1600000000\n", "items.csv": "item_id\nx\n"}


def dataset(interactions: dict | None = None, **more) -> Dataset:
    data = {"interactions": interactions or {"path": "log.csv"}, "items": {"path": "items.csv"}}
    return Dataset.model_validate({"data": data, **more})


def test_good_data_passes(lay):
    preflight.check(dataset(), lay(GOOD))


def test_a_missing_file_is_named_with_its_key(lay):
    folder = lay({"log.csv": GOOD["log.csv"]})
    with pytest.raises(ConfigError, match=rf"data\.items\.path.*{folder}/items\.csv"):
        preflight.check(dataset(), folder)


def test_a_missing_folder(tmp_path):
    with pytest.raises(ConfigError, match=r"data\.interactions\.path"):
        preflight.check(dataset(), str(tmp_path / "nowhere"))


@pytest.mark.parametrize("name", ["log.csv", "log.csv.gz"])
def test_empty_files_are_refused(lay, name):
    with pytest.raises(DataRefused, match=r"data\.interactions\.path.*empty"):
        preflight.check(dataset({"path": name}), lay({**GOOD, name: ""}))


def test_one_empty_file_among_others_is_accepted(lay):
    folder = lay({**GOOD, "log-1.csv": "", "log-2.csv": GOOD["log.csv"]})
    preflight.check(dataset({"path": "log-*.csv"}), folder)


def test_a_wrong_delimiter_is_detected_by_a_single_column(lay):
    with pytest.raises(ConfigError) as caught:
        preflight.check(dataset({"path": "log.csv", "delimiter": ";"}), lay(GOOD))
    message = str(caught.value)
    assert "log.csv" in message
    assert "data.interactions.user_id" in message
    assert "'user_id,item_id,timestamp'" in message
    assert message.endswith("set delimiter = ','")


def test_every_file_of_a_glob_has_its_own_header(lay):
    folder = lay({**GOOD, "log-1.csv": GOOD["log.csv"], "log-2.csv": "user_id,item\n"})
    with pytest.raises(ConfigError, match=r"log-2\.csv.*data\.interactions\.item_id"):
        preflight.check(dataset({"path": "log-*.csv"}), folder)


def test_columns_of_labels_and_features_are_required(lay):
    ranking = {"rating": {"column": "stars", "kind": "regression"}}
    with pytest.raises(ConfigError, match=r"labels\.ranking\.rating\.column.*'stars'"):
        preflight.check(dataset(labels={"ranking": ranking}), lay(GOOD, "one"))
    genres = {"items": {"genres": {"kind": "set"}}}
    with pytest.raises(ConfigError, match=r"items\.csv: features\.items\.genres.*'genres'"):
        preflight.check(dataset(features=genres), lay(GOOD, "two"))


def test_configured_columns_are_checked(lay):
    source = {"path": "log.csv", "columns": ["user_id", "item", "timestamp"]}
    with pytest.raises(ConfigError, match=r"data\.interactions\.item_id.*'item_id'"):
        preflight.check(dataset(source), lay(GOOD))


def test_json_fields_can_first_occur_in_a_later_record(lay):
    rows = [{"user_id": 1, "item_id": 2, "timestamp": 3}] * 20 + [{"stars": 1}]
    folder = lay({**GOOD, "log.jsonl": "not json\n" + "".join(json.dumps(r) + "\n" for r in rows)})
    source = {"path": "log.jsonl", "format": "jsonl"}
    rule = {"positive": {"column": "stars", "at_least": 1}}
    preflight.check(dataset(source, labels=rule), folder)
    rule = {"positive": {"column": "likes", "at_least": 1}}
    with pytest.raises(ConfigError, match=r"labels\.positive\.column.*'likes'"):
        preflight.check(dataset(source, labels=rule), folder)


def test_the_fingerprint_depends_on_contents_only(lay):
    folder = lay(GOOD)
    first = compute_input_fingerprint(dataset(), folder)
    items = pathlib.Path(folder) / "items.csv"
    items.touch()
    assert compute_input_fingerprint(dataset(), folder) == first
    items.write_text("item_id\ny\n")
    assert compute_input_fingerprint(dataset(), folder) != first


def test_a_span_without_files_is_named(tmp_path, lay):
    folder = lay(GOOD)
    source = {"path": "{SPAN}/log.csv", "span": "2024-01-31..2024-02-02"}
    with pytest.raises(ConfigError, match=r"found nothing.*for span 2024-01-31\.\.2024-02-02"):
        preflight.check(dataset(source), folder)


def test_spans_of_different_widths_are_refused_if_the_last_record_is_used(tmp_path):
    for span in ("9", "10"):
        (tmp_path / span).mkdir()
        for name, text in GOOD.items():
            (tmp_path / span / name).write_text(text)
    data = {"interactions": {"path": "{SPAN}/log.csv"}, "items": {"path": "{SPAN}/items.csv"}}
    with pytest.raises(ConfigError, match=r"data\.items\.path.*received 9 and 10"):
        preflight.check(Dataset.model_validate({"data": data}), str(tmp_path))
    data["items"]["span"] = "10"
    preflight.check(Dataset.model_validate({"data": data}), str(tmp_path))
