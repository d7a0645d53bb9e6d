"""The curve of accuracy against diversity, in a planted summary."""

from xml.etree.ElementTree import Element, tostring

import numpy as np
import pytest

from pipeline.report.html.diversity import (
    add_diversity_section,
    collect_series,
    describe_trade_off,
    draw_trade_off,
    find_default,
)
from schema.run_summary import RunSummary

POINTS = [
    {"diversity": 0.0, "ndcg@10": 0.5, "diversity@10": 0.25, "coverage@10": 0.1,
     "gaps": {"users.region": 0.125}},
    {"diversity": 0.5, "ndcg@10": 0.375, "diversity@10": 0.75, "coverage@10": 0.2, "gaps": {}},
]  # fmt: skip


@pytest.fixture
def diverse(summary):
    summary["diversity"] = {"users": 2000, "points": POINTS}
    summary["config"]["recommend"] = {"diversity": 0.5}
    return RunSummary.model_validate(summary)


def test_the_summary_keeps_the_metrics_names(diverse):
    assert diverse.to_json()["diversity"] == {"users": 2000, "points": POINTS}


def test_a_measure_has_a_value_or_a_gap_at_each_point(diverse):
    assert collect_series(diverse.diversity) == {
        "diversity@10": [0.25, 0.75],
        "coverage@10": [0.1, 0.2],
        "gap of users.region": [0.125, None],
    }


def test_the_caption_compares_both_ends(diverse):
    assert describe_trade_off(diverse.diversity, "coverage@10", [0.1, 0.2]) == (
        "From 0 to 0.5: coverage@10 from 0.1000 to 0.2000, NDCG@10 from 0.5000 to 0.3750."
    )


def test_the_plot_has_a_point_for_each_known_value(diverse):
    figure = draw_trade_off(diverse.diversity, "gap", [0.125, None], 0.5)
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.texts] == ["0"]
    figure = draw_trade_off(diverse.diversity, "diversity@10", [0.25, 0.75], 0.5)
    (axes,) = figure.axes
    line, first, second = axes.lines
    assert np.asarray(line.get_xydata()).tolist() == [[0.25, 0.5], [0.75, 0.375]]
    assert second.get_color() != first.get_color() == line.get_color()


def test_the_section_has_a_table_and_names_the_default(diverse):
    body = Element("body")
    add_diversity_section(body, diverse)
    text = tostring(body, encoding="unicode")
    assert find_default(diverse) == 0.5
    assert "0.5 is the default" in text
    assert text.count("<svg") == 3
    (table,) = body.iter("table")
    rows = [["".join(cell.itertext()) for cell in row] for row in table.iter("tr")]
    assert rows[1:] == [
        ["0", "0.5000", "0.2500", "0.1000", "0.1250"],
        ["0.5", "0.3750", "0.7500", "0.2000", "–"],
    ]


def test_a_run_without_a_curve_has_no_section(summary):
    body = Element("body")
    add_diversity_section(body, RunSummary.model_validate(summary))
    assert len(body) == 0
