"""Plots inside the page: the page's colours, distinct ids, and text as text."""

import re
from xml.etree.ElementTree import tostring

import pytest

from pipeline.report.html import charts
from pipeline.report.html.charts import Dot, draw_dots


@pytest.fixture
def text():
    dots = [Dot("ours & $5", 0.5, 0.25, 0.75), Dot("theirs", 0.25, ours=False)]
    return lambda name: tostring(
        charts.render_svg(draw_dots(dots, "NDCG@10 (share)"), name, "what is seen"),
        encoding="unicode",
    )


def test_every_colour_follows_the_page(text):
    drawn = text("a")
    assert not re.findall("#[0-9a-f]{6}", drawn)
    used = set(re.findall(r"var\(--(\w+)\)", drawn))
    assert {"accent", "muted", "ink"} <= used <= set(charts.CSS_VARIABLES)


def test_text_values_stay_text(text):
    assert ">ours &amp; $5<" in text("a")
    assert ">NDCG@10 (share)<" in text("a")
    assert 'aria-label="what is seen"' in text("a")


def test_two_plots_share_no_id(text):
    ids = [set(re.findall(r'\bid="([^"]+)"', text(name))) for name in ("a", "b")]
    assert ids[0]
    assert not ids[0] & ids[1]


def test_references_have_targets(text):
    drawn = text("a")
    wanted = set(re.findall(r'(?:href="|url\()#([^")]+)', drawn))
    assert wanted
    assert wanted <= set(re.findall(r'\bid="([^"]+)"', drawn))


def test_it_is_drawn_the_same_each_time_and_names_no_namespace(text):
    assert text("a") == text("a")
    assert "xmlns" not in text("a")
    assert "<metadata" not in text("a")


def test_no_two_variables_have_one_light_shade():
    shades = [shade.light for shade in charts.CSS_VARIABLES.values()]
    assert len(shades) == len(set(shades))
