"""A page of planted days, parsed again."""

from html.parser import HTMLParser

from pipeline.commands import backfill
from pipeline.report.html import retraining_value


class ParsedPage(HTMLParser):
    """Texts and tags in order."""

    def __init__(self):
        super().__init__()
        self.tags: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.text.append(data.strip())


def day(span, pushed, difference):
    quality = {"ndcg@10": 0.25, "recall@10": 0.5, "recall@100": 0.75}
    values_by_name = {"value": 0.05, "low": 0.01, "high": 0.09, "users": 60, "verdict": "better"}
    return {
        "span": span,
        "fingerprint": "f",
        "users": 60,
        "pushed": pushed,
        "broken": [] if pushed else ["coverage@10 at least 0.9 <of all>"],
        "quality": {"retrained": quality, "never_retrained": quality, "popular": quality},
        "difference": dict.fromkeys(quality, values_by_name) if difference else None,
    }


def read(days):
    page = ParsedPage()
    page.feed(retraining_value.render_page(backfill.make_record("shop", days)))
    return page


def test_there_is_one_curve_per_metric_and_one_row_per_day():
    page = read([day("1", 1, False), day("2", None, True)])
    assert page.tags.count("svg") == 4  # three metrics, and the differences
    assert "1 days, 60 users: NDCG@10 0.2500 retrained" in " ".join(page.text)
    assert "version 1" in page.text
    assert "coverage@10 at least 0.9 <of all>" in page.text
    assert "script" not in page.tags


def test_days_without_any_model_have_no_curve():
    nothing = day("1", None, False) | {"quality": {}, "users": 0}
    page = read([nothing])
    assert "svg" not in page.tags
    assert "no day has a never-retrained model to compare with yet" in page.text
