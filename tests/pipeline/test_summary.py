"""summary.json is written whole or not at all, and holds only what JSON knows."""

import json

import pytest

from pipeline.summary import read_ceiling, write_summary


def test_it_reads_back(tmp_path):
    found = {"name": "shop", "rows": {"read": 3}, "examples": [{"title": "Ærø – øl"}]}
    write_summary(found, tmp_path / "summary.json")
    assert json.loads((tmp_path / "summary.json").read_text(encoding="utf-8")) == found
    assert [path.name for path in tmp_path.iterdir()] == ["summary.json"]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_json_does_not_know_leaves_the_last_summary_in_place(tmp_path, value):
    write_summary({"seed": 1}, tmp_path / "summary.json")
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_summary({"retrieval": {"ndcg@10": value}}, tmp_path / "summary.json")
    assert json.loads((tmp_path / "summary.json").read_text()) == {"seed": 1}


def test_the_ceiling_is_the_simulators(tmp_path):
    (tmp_path / "truth.json").write_text('{"seed": 3, "ceiling": {"ndcg@10": 0.5}}')
    assert read_ceiling(str(tmp_path)) == {"ndcg@10": 0.5}


def test_real_logs_have_no_ceiling(tmp_path):
    assert read_ceiling(str(tmp_path)) is None
