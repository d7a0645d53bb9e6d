"""The Grafana dashboard uses metrics of TensorFlow Serving that docs/SERVING.md lists."""

import itertools
import json
import pathlib
import re

import pytest

SERVING_MD = pathlib.Path(__file__).resolve().parents[2] / "docs" / "SERVING.md"
METRIC = r":tensorflow:[a-z0-9_:]+"
BUILT_IN = {"__rate_interval"}


@pytest.fixture(scope="module")
def dashboard(deploy):
    return json.loads((deploy / "grafana" / "tandem.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def documented():
    """Kind of each metric, from the document's table."""
    rows = re.findall(rf"^\| `({METRIC})` \| (\w+)", SERVING_MD.read_text(), re.MULTILINE)
    return dict(rows)


def expressions(dashboard):
    return [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]


def test_metrics_are_documented_and_used_by_their_kind(dashboard, documented):
    used = {name for text in expressions(dashboard) for name in re.findall(METRIC, text)}
    assert len(used) >= 5
    for name in used:
        base = re.sub(r"_(bucket|sum|count)$", "", name)
        if base in documented and base != name:
            assert documented[base] == "histogram"
        else:
            assert documented[name] == "counter"


def test_quantiles_are_of_buckets(dashboard):
    for text in expressions(dashboard):
        if "histogram_quantile" in text:
            assert "_bucket{" in text
            assert "sum by (le" in text


def test_brackets_are_closed(dashboard):
    for text in expressions(dashboard):
        for pair in ("()", "[]", "{}"):
            assert text.count(pair[0]) == text.count(pair[1])


def test_variables_are_declared(dashboard):
    declared = {variable["name"] for variable in dashboard["templating"]["list"]}
    used = set(re.findall(r"\$\{?(\w+)", json.dumps(dashboard["panels"])))
    assert used <= declared | BUILT_IN
    assert declared <= used


def test_panels_do_not_overlap(dashboard):
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for one, other in itertools.combinations([panel["gridPos"] for panel in panels], 2):
        apart_x = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        apart_y = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert apart_x or apart_y
    assert max(panel["gridPos"]["x"] + panel["gridPos"]["w"] for panel in panels) == 24


def test_every_panel_has_a_title_description_and_unit(dashboard):
    for panel in dashboard["panels"]:
        assert panel["title"]
        assert panel["description"].endswith(".")
        assert panel["fieldConfig"]["defaults"]["unit"]
