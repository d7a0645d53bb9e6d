"""A self-contained HTML page of a table's statistics; TFDV's own page loads its viewer from the
internet.

The page has a row per feature and a column per split; grey bars show the statistics of the previous
data, if there are any. It is static, so that it can be archived without other files.
"""

import datetime
from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, tostring

from tensorflow_metadata.proto.v0 import statistics_pb2
from tfx.dsl.io import fileio

from components.validation.drift import Statistics
from components.validation.feature_statistics import (
    FeatureStatistics,
    compute_present_fraction,
    compute_shares,
    count_examples,
    get_common,
    index_features,
    is_numeric,
)
from components.validation.findings import Finding
from components.validation.gate import GateTable
from schema import timeline

_TOP = 8
_BARS = 10
_STYLE = """
body { font: 14px/1.4 system-ui, sans-serif; margin: 2rem; color: #222; }
table { border-collapse: collapse; } th, td { text-align: left; vertical-align: top;
padding: .4rem 1rem .4rem 0; border-top: 1px solid #ddd; } .broken { color: #b00020; }
.facts { color: #666; font-size: 12px; margin: 0 0 .3rem; } .bars { font-size: 12px; }
.bars div { display: grid; grid-template-columns: 18rem 8rem 4rem; gap: .5rem; }
.bars span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.bar { display: block; height: 6px; background: #1a73e8; } .bar.before { background: #bbb; }
"""


def write(path: str, table: GateTable, findings: Sequence[Finding]) -> None:
    """Writes the page, with the broken rules at the top; creates missing folders."""
    fileio.makedirs(path.rpartition("/")[0])
    with fileio.open(path, "w") as file:
        file.write(render(table, findings))


def render(table: GateTable, findings: Sequence[Finding]) -> str:
    """Returns the HTML of the page."""
    html = Element("html", lang="en")
    head = SubElement(html, "head")
    SubElement(head, "meta", charset="utf-8")
    SubElement(head, "title").text = f"Statistics of {table.name}"
    SubElement(head, "style").text = _STYLE
    body = SubElement(html, "body")
    SubElement(body, "h1").text = f"Statistics of {table.name}"
    _add_verdict(body, table, findings)
    _add_features(SubElement(body, "table"), table)
    return "<!doctype html>\n" + tostring(html, encoding="unicode", method="html")


def _add_verdict(body: Element, table: GateTable, findings: Sequence[Finding]) -> None:
    compared = "grey: the previous data" if table.before else "no previous data to compare with"
    SubElement(body, "p").text = f"Blue: these data; {compared}."
    if not findings:
        SubElement(body, "p").text = "No rule of the schema is broken."
        return
    listed = SubElement(body, "ul", {"class": "broken"})
    for finding in findings:
        SubElement(listed, "li").text = str(finding)


def _add_features(grid: Element, table: GateTable) -> None:
    header = SubElement(grid, "tr")
    SubElement(header, "th").text = "feature"
    for split, statistics in table.statistics.items():
        count = count_examples(statistics)
        SubElement(header, "th").text = f"{split}: {count:,} Examples"
    for name in [feature.name for feature in table.schema.feature]:
        row = SubElement(grid, "tr")
        SubElement(row, "th").text = name
        for split, statistics in table.statistics.items():
            before = table.before.get(split)
            _fill_cell(
                SubElement(row, "td"), _find_feature(statistics, name), _find_feature(before, name)
            )


def _find_feature(statistics: Statistics | None, name: str) -> FeatureStatistics | None:
    return index_features(statistics).get(name) if statistics is not None else None


def _fill_cell(
    cell: Element, now: FeatureStatistics | None, before: FeatureStatistics | None
) -> None:
    facts = SubElement(cell, "p", {"class": "facts"})
    if now is None:
        facts.text = "no values"
        return
    common = get_common(now)
    fraction = compute_present_fraction(now)
    facts.text = f"{common.tot_num_values:,} values, in {fraction:.2%} of Examples"
    if is_numeric(now):
        numbers = now.num_stats
        facts.text += (
            f"; {_format_number(now, numbers.min)} to {_format_number(now, numbers.max)}, mean "
            f"{_format_number(now, numbers.mean)}, median {_format_number(now, numbers.median)}"
        )
    else:
        facts.text += f"; {now.string_stats.unique:,} different"
    _add_bars(SubElement(cell, "div", {"class": "bars"}), _select_shares(now), before)


def _add_bars(chart: Element, shares: dict[str, float], before: FeatureStatistics | None) -> None:
    """Adds a bar per value, proportional to its share, and the previous data's bar below it."""
    old = _select_shares(before) if before is not None else {}
    longest = max([*shares.values(), *(old.get(label, 0.0) for label in shares)], default=0.0)
    for label, share in shares.items():
        line = SubElement(chart, "div")
        SubElement(line, "span").text = label
        drawn = SubElement(line, "span")
        _add_bar(drawn, share / longest, "bar")
        if label in old:
            _add_bar(drawn, old[label] / longest, "bar before")
        SubElement(line, "span").text = f"{share:.1%}"


def _add_bar(parent: Element, fraction: float, kind: str) -> None:
    SubElement(parent, "i", {"class": kind, "style": f"width: {fraction:.1%}"})


def _select_shares(feature: FeatureStatistics) -> dict[str, float]:
    """The shares of the most frequent strings, or of ten equal parts of the range of numbers."""
    if not is_numeric(feature):
        return dict(list(compute_shares(feature).items())[:_TOP])
    standard = statistics_pb2.Histogram.STANDARD
    for histogram in feature.num_stats.histograms:
        if histogram.type == standard:
            buckets = histogram.buckets[:_BARS]
            total = sum(bucket.sample_count for bucket in buckets) or 1.0
            return {_format_range(feature, each): each.sample_count / total for each in buckets}
    return {}


def _format_range(feature: FeatureStatistics, bucket: statistics_pb2.Histogram.Bucket) -> str:
    low, high = (_format_number(feature, edge) for edge in (bucket.low_value, bucket.high_value))
    return f"{low} – {high}"


def _format_number(feature: FeatureStatistics, number: float) -> str:
    """Formats event times as UTC, to the minute; other numbers with six digits."""
    if list(feature.path.step) == [timeline.TIMESTAMPS]:
        moment = datetime.datetime.fromtimestamp(number, tz=datetime.timezone.utc)
        return f"{moment:%Y-%m-%d %H:%M}"
    return f"{number:,.6g}"
