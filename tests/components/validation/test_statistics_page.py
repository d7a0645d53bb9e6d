import re
from html.parser import HTMLParser

import pytest
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2

from components.validation import statistics_page
from components.validation.findings import Finding
from components.validation.gate import GateTable

SCHEMA = text_format.Parse(
    'feature { name: "item_kind" type: BYTES } feature { name: "item_price" type: FLOAT }'
    'feature { name: "item_gone" type: BYTES }',
    schema_pb2.Schema(),
)


class Text(HTMLParser):
    """Texts of the body, and the attributes of every element."""

    def __init__(self):
        super().__init__()
        self.texts: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag, attrs):
        self.attributes += attrs

    def handle_data(self, data):
        self.texts.append(data)


@pytest.fixture(scope="module")
def tables(describe):
    old = {"item_kind": ["book"] * 2 + ["toy"] * 2, "item_price": [1.0] * 4}
    new = {"item_kind": ["book"] * 3 + ["<b>toy</b>"], "item_price": [0.0, 10.0, 10.0, 20.0]}
    before, now = describe({"all": old})[0], describe({"all": new})[0]
    anomalies = {"all": anomalies_pb2.Anomalies()}
    first = GateTable("items", "", SCHEMA, now, anomalies, {})
    return first, first._replace(before=before)


def parsed(page: str) -> Text:
    result = Text()
    result.feed(page)
    return result


def test_the_page_shows_the_statistics(tables):
    texts = parsed(statistics_page.render(tables[0], [])).texts
    assert "all: 4 Examples" in texts
    assert "4 values, in 100.00% of Examples; 2 different" in texts
    assert "4 values, in 100.00% of Examples; 0 to 20, mean 10, median 10" in texts
    assert texts[texts.index("book") + 1] == "75.0%"
    assert texts[texts.index("item_gone") + 1] == "no values"
    assert "No rule of the schema is broken." in texts


def test_values_are_text_and_never_markup(tables):
    assert "<b>toy" not in statistics_page.render(tables[0], [])
    assert "<b>toy</b>" in parsed(statistics_page.render(tables[0], [])).texts


def test_bars_show_the_shares_of_new_and_previous_data(tables):
    page = parsed(statistics_page.render(tables[1], []))
    bars = [value for name, value in page.attributes if name == "style"]
    # book .75 is the longest, .5 previously; toy .25 is new; then ten buckets of prices
    assert bars[:3] == ["width: 100.0%", "width: 66.7%", "width: 33.3%"]


def test_broken_rules_are_at_the_top(tables):
    one = Finding("items", "all", "item_price", "range", "numbers from 0 to 9", "20")
    page = statistics_page.render(tables[0], [one])
    assert page.index("item_price: range: expected numbers from 0 to 9") < page.index("<table")


def test_the_page_loads_no_other_file(tables):
    page = statistics_page.render(tables[1], [])
    assert not re.search(r"https?:|src=|<script|<link|@import|url\(", page)


def test_a_missing_folder_is_created(tables, tmp_path):
    path = tmp_path / "statistics" / "items.html"
    statistics_page.write(str(path), tables[0], [])
    assert path.read_text().startswith("<!doctype html>")
