"""What is written as TOML reads back the same."""

import datetime

import pytest
import tomli
from hypothesis import given
from hypothesis import strategies as st

from pipeline import toml_text

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
scalars = st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | texts
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(texts, values, max_size=4))
def test_it_reads_back(table):
    assert tomli.loads(toml_text.written(table)) == table


def test_sections_are_two_deep_and_the_rest_stands_in_lines():
    table = {
        "seed": 1,
        "tune": {"trials": 3, "retrieval": {"dropout": [0.1, 0.5]}},
        "features": {"items": {"genre 1": {"kind": "set", "separator": "|"}}},
        "name": "shop",
    }
    assert toml_text.written(table) == (
        'seed = 1\nname = "shop"\n'
        "\n[tune]\ntrials = 3\n"
        "\n[tune.retrieval]\ndropout = [0.1, 0.5]\n"
        '\n[features.items]\n"genre 1" = { kind = "set", separator = "|" }\n'
    )


def test_a_date_is_refused():
    with pytest.raises(TypeError, match=r"received datetime\.date"):
        toml_text.written({"day": datetime.date(2024, 1, 31)})
