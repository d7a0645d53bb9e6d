"""The page as a browser receives it: its content, and that it needs no other file."""

import html.parser
import pathlib

import pyarrow as pa
import pytest

from components.ingest.output import counts, histories
from components.ingest.output.counts import Counts
from pipeline.report.html import page
from pipeline.run_root import RunRoot
from schema.run_summary import RunSummary

CURVES = {
    "retrieval": {
        "train": {"loss": [(0, 2.0), (1, 1.5)]},
        "validation": {"loss": [(0, 2.5), (1, 2.25)], "ndcg@10": [(0, 0.125), (1, 0.25)]},
        "popular": {"ndcg@10": [(0, 0.1875), (1, 0.1875)]},
    },
    "ranking": {},
}


PROPENSITIES = {
    "impressions": 1234, "clip": 10, "relevant": 2000, "clipped": 12, "never_shown": 3,
    "effective_users": 89.94,
}  # fmt: skip


class ParsedPage(html.parser.HTMLParser):
    """Tags, attributes, headings and text of a page."""

    def __init__(self, text: str):
        super().__init__()
        self.tags: list[str] = []
        self.loaded: list[str] = []
        self.ids: list[str] = []
        self.headings: list[str] = []
        self.words: list[str] = []
        self._within: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self._within.append(tag)
        for key, value in attrs:
            if key in ("src", "href", "srcset", "data", "action"):
                self.loaded.append(value or "")
            if key == "id":
                self.ids.append(value or "")

    def handle_endtag(self, tag):
        while self._within and self._within.pop() != tag:
            pass

    def handle_data(self, data):
        if self._within and self._within[-1] == "h2":
            self.headings.append(data)
        if "style" not in self._within:
            self.words.append(data)


@pytest.fixture
def rendered(summary, volumes):
    return lambda: page.render_report(RunSummary.model_validate(summary), volumes, CURVES)


def example(title: str) -> dict:
    return {
        "user_id": "u1",
        "known_user": True,
        "history": [{"item_id": "i1", "title": title, "timestamp": 1}],
        "recommendations": [
            {"rank": 1, "item_id": "i2", "title": title, "score": 0.5, "stage": "ranking"}
        ],
    }


def test_every_section_is_there_and_linked(summary, rendered):
    summary["examples"] = [example("Oak Desk")] * 10
    page = ParsedPage(rendered())
    assert page.headings == [
        "Quality on test", "Slices", "Fairness", "Predicted labels", "Ranking model by TFMA",
        "Data", "Training", "Index", "10 users", "Execution",
    ]  # fmt: skip
    assert {link.removeprefix("#") for link in page.loaded} <= set(page.ids)


def test_it_loads_nothing(rendered):
    text = rendered()
    page = ParsedPage(text)
    assert not {"script", "link", "img", "iframe", "object", "embed"} & set(page.tags)
    assert all(link.startswith("#") for link in page.loaded)
    assert "@import" not in text
    assert "url(http" not in text


def test_ids_are_unique(rendered):
    ids = ParsedPage(rendered()).ids
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "</style><b>", "$5 & $x^2$", "a\x00b"]
)
def test_data_is_escaped_as_text(summary, rendered, text):
    summary["name"] = text
    summary["examples"] = [example(text)]
    summary["rejected_by_reason"] = {"items": {text: 3}}
    summary["ranking"]["slices"] = {
        text: {text: summary["ranking"]["slices"]["history"]["new users"]}
    }
    fairness = summary["fairness"]["users"]["users.region"]["groups"]
    fairness[text] = fairness["north"]
    page = ParsedPage(rendered())
    assert "script" not in page.tags
    assert "b" not in page.tags
    shown = text.replace("\x00", "\ufffd")
    assert sum(words == shown for words in page.words) >= 6


def test_overlaps_and_events_far_in_time_are_described(summary, rendered):
    met = {"items": {"total": 1000, "met": 900, "share": 0.9}}
    summary["log"] = {"meetings": met, "late_stragglers": 1, "samples": {"late_stragglers": ["u1"]}}
    words = ParsedPage(rendered()).words
    assert "items: 900 of 1,000 events are of items in the catalogue (90.0%)" in words
    assert [
        line for line in words if line.startswith("time: 1 event is far beyond all others (u1)")
    ]


def test_the_same_run_gives_the_same_page(rendered):
    assert rendered() == rendered()


def test_missing_measurements_have_no_section(summary, rendered):
    for key in ("fairness", "analysis"):
        del summary[key]
    del summary["index"]["frontier"], summary["retrieval"]["ceiling"]
    for key in ("slices", "against", "intervals"):
        del summary["ranking"][key]
    summary["servables"] = {"ranking": {"version": 3, "path": "/runs/shop/serving/ranking/3"}}
    page = ParsedPage(rendered())
    assert page.headings == [
        "Quality on test",
        "Predicted labels",
        "Data",
        "Training",
        "Index",
        "Execution",
    ]
    assert "/runs/shop/serving/ranking/3" in page.words


def test_it_is_written_next_to_the_summary(tmp_path: pathlib.Path, summary):
    users = {"user_id": ["u1"], "item_ids": [["i1", "i2"]], "timestamps": [[5, 6]]}
    histories.write(str(tmp_path), 0, 1, iter([pa.table(users)]))
    counts.write(str(tmp_path), Counts({}, {"users": 1}))
    summary["artifacts"] = {"histories": str(tmp_path), "interactions": str(tmp_path)}
    at = RunRoot(tmp_path / "run")
    at.root.mkdir()
    assert page.write_report(RunSummary.model_validate(summary), at) == at.root / "report.html"
    assert [path.name for path in at.root.iterdir()] == ["report.html"]
    assert "Users' histories" in ParsedPage(at.report.read_text(encoding="utf-8")).words


def test_metrics_weighted_by_propensity_are_shown_for_logs_with_impressions(summary, rendered):
    assert "SNIPS" not in rendered()
    summary["retrieval"] |= {"snips_ndcg@10": 0.4375, "propensities": PROPENSITIES}
    summary["ranking"]["against"]["recent"]["snips_ndcg@10"] = {
        "value": -0.0625, "low": -0.125, "high": -0.03125, "users": 90, "verdict": "worse",
    }  # fmt: skip
    words = " ".join(ParsedPage(rendered()).words)
    assert "Effective number of users: 89.9." in words
    assert "SNIPS NDCG@10" in words
    assert "0.4375" in words
    assert "−0.0625" in words
