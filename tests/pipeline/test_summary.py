"""summary.json is written atomically, and contains only valid JSON."""

import json

import pytest

from pipeline.summary import read_ceiling, write_summary
from schema.run_summary import RunSummary
from tests.pipeline.run_summaries import fill_summary, make_summary

RETRIEVAL = {
    "users": 3,
    "ndcg@10": 0.25,
    "intervals": {"ndcg@10": {"low": 0.125, "high": 0.5}},
    "baselines": {"popular": {"ndcg@10": 0.125}},
    "training": {"epochs": 3.0},
    "warm_start": {"version": 3, "vectors": [1, None]},
}


def test_it_reads_back(tmp_path):
    examples = [
        {
            "user_id": "u1",
            "known_user": True,
            "history": [{"item_id": "i1", "title": "Ærø – øl", "timestamp": 3}],
            "recommendations": [],
        }
    ]
    result = fill_summary(examples=examples, retrieval=RETRIEVAL, log={"future_events": 3})
    result["stages"] = [{"name": "Indexer", "seconds": 1.5, "cached": False, "undeclared": "kept"}]
    write_summary(RunSummary.model_validate(result), tmp_path / "summary.json")
    assert json.loads((tmp_path / "summary.json").read_text(encoding="utf-8")) == result
    assert [path.name for path in tmp_path.iterdir()] == ["summary.json"]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_json_does_not_have_leaves_the_last_summary_in_place(tmp_path, value):
    write_summary(make_summary(seed=4), tmp_path / "summary.json")
    bad = make_summary(retrieval=RETRIEVAL | {"ndcg@10": value})
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_summary(bad, tmp_path / "summary.json")
    assert json.loads((tmp_path / "summary.json").read_text()) == fill_summary(seed=4)


def test_the_ceiling_is_the_simulators(tmp_path):
    (tmp_path / "truth.json").write_text('{"seed": 3, "ceiling": {"ndcg@10": 0.5}}')
    assert read_ceiling(str(tmp_path)) == {"ndcg@10": 0.5}


def test_real_logs_have_no_ceiling(tmp_path):
    assert read_ceiling(str(tmp_path)) is None
