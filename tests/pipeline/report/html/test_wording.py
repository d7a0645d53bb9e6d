"""Numbers and names in words."""

import re
from xml.etree.ElementTree import Element, fromstring, tostring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.report.html import wording
from schema.evaluation_summary import Bounds


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "–"), (0.0, "0.0000"), (0.12344, "0.1234"), (-0.5, "−0.5000"), (1.0, "1.000"),
        (12.345, "12.35"), (123.45, "123.5"), (12345.6, "12,346"), (1234, "1,234"), (7, "7"),
        (-0.00001, "0.0000"),
    ],
)  # fmt: skip
def test_four_significant_digits(value, message):
    assert wording.format_number(value) == message


def test_signs_and_intervals():
    assert wording.format_signed(0.25) == "+0.2500"
    assert wording.format_signed(-0.25) == "−0.2500"
    assert wording.format_interval(Bounds(low=-0.5, high=0.25)) == "−0.5000 to 0.2500"
    assert wording.format_interval(Bounds(low=-0.5)) == wording.format_interval(None) == ""


def test_names():
    assert wording.format_name("ndcg@10") == "NDCG@10"
    assert wording.format_name("hit_rate@5") == "hit rate@5"
    assert wording.format_name("item_genres") == "item genres"
    assert wording.format_name("recent") == "popular now"


def test_lists_in_words():
    assert wording.join_words([]) == ""
    assert wording.join_words(["a"]) == "a"
    assert wording.join_words(["a", "b", "c"]) == "a, b and c"


def test_a_share_of_nothing_is_a_dash():
    assert wording.format_share(1, 0) == "–"
    assert wording.format_share(1, 8) == "12.5%"


@given(st.text(st.characters(codec=None)))
def test_any_text_is_valid_in_xml(text):
    element = Element("p")
    element.text = wording.replace_control_characters(text)
    assert len(element.text) == len(text)
    read = fromstring(tostring(element, encoding="unicode")).text or ""
    assert read == re.sub("\r", "\n", element.text.replace("\r\n", "\n"))


@given(st.text(max_size=60))
def test_a_label_is_one_short_line(text):
    assert len(wording.shorten(text)) <= 26
    assert "\n" not in wording.shorten(text)


def test_a_long_label_is_shortened_with_an_ellipsis():
    assert wording.shorten("x" * 30) == "x" * 25 + "…"
