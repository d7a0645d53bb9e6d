"""The elements that pages are built from, and their style sheet.

Built with ElementTree instead of a template engine (jinja2): it escapes all text, and the
sections are mostly loops over tables and figures.
"""

import dataclasses
import re
from collections.abc import Sequence
from typing import Literal
from xml.etree.ElementTree import Element, SubElement

from matplotlib.figure import Figure

from pipeline.report.html import charts, wording
from pipeline.report.html.charts import CSS_VARIABLES
from schema.evaluation_summary import MetricInterval

_STYLE_RULES = """
* { box-sizing: border-box; }
html { color-scheme: light dark; -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; max-width: 70rem; padding: 2.5rem 1.5rem 5rem; background: var(--paper);
  color: var(--ink); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", sans-serif; }
h1 { font-size: 2.25rem; line-height: 1.15; margin: 0 0 .6rem; letter-spacing: -.02em; }
h2 { font-size: 1.4rem; margin: 0 0 .25rem; letter-spacing: -.01em; }
h3 { font-size: 1rem; margin: 2rem 0 .5rem; }
p { max-width: 44rem; margin: .25rem 0 1rem; overflow-wrap: anywhere; }
.misses { max-width: 60rem; margin: 0 0 1rem; padding-left: 1.2rem; }
a { color: var(--accent); }
section { margin-top: 3rem; padding-top: 1.6rem; border-top: 1px solid var(--rule); }
.eyebrow { color: var(--muted); margin: 0 0 .4rem; font-size: .9rem; }
.lead { color: var(--muted); }
.good { color: var(--good); } .bad { color: var(--bad); }
nav { display: flex; flex-wrap: wrap; gap: .3rem 1.1rem; margin-top: 1.6rem; font-size: .9rem; }
nav a { text-decoration: none; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(12rem, 1fr)); gap: .8rem;
  margin: 1.6rem 0; padding: 0; }
.tile { background: var(--raised); border-radius: .5rem; padding: .9rem 1.1rem; }
.tile dt { color: var(--muted); font-size: .85rem; }
.tile dd { margin: 0; font-size: 1.6rem; line-height: 1.3; font-variant-numeric: tabular-nums; }
.tile small { display: block; color: var(--muted); font-size: .8rem; line-height: 1.4; }
.notice { border-left: 3px solid var(--accent); background: var(--raised); padding: .7rem 1rem;
  margin: 1rem 0; border-radius: 0 .4rem .4rem 0; }
.notice.bad { border-color: var(--bad); color: inherit; }
.plots { display: grid; gap: 1.8rem 2rem; margin: 1.2rem 0; align-items: start; }
.thirds { grid-template-columns: repeat(auto-fill, minmax(min(100%, 19rem), 1fr)); }
.halves { grid-template-columns: repeat(auto-fill, minmax(min(100%, 26rem), 1fr)); }
figure { margin: 0; min-width: 0; break-inside: avoid; }
.plots > div { min-width: 0; }
.plots h3 { margin: 0 0 .3rem; font-size: .95rem; }
figcaption { color: var(--muted); font-size: .85rem; line-height: 1.45; margin-top: .35rem; }
figure svg { display: block; width: 100%; height: auto; stroke-linejoin: round;
  stroke-linecap: butt; overflow: visible; }
figure svg text { font-family: inherit !important; }
.scroll { overflow-x: auto; margin: .8rem 0 1.2rem; }
table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; }
th, td { padding: .38rem 0 .38rem 1.4rem; text-align: right; vertical-align: top;
  border-bottom: 1px solid var(--rule); }
th { font-weight: 600; white-space: nowrap; } thead th { color: var(--muted); }
th.text, td.text { text-align: left; } th:first-child, td:first-child { padding-left: 0; }
td.text { max-width: 34rem; overflow-wrap: break-word; }
td small { display: block; color: var(--muted); font-size: .75rem; white-space: pre; }
td.text small { white-space: normal; }
tr.ours > * { font-weight: 650; } tr.ours small { font-weight: 400; }
details { margin: .6rem 0; } summary { cursor: pointer; color: var(--accent); font-size: .9rem; }
pre { background: var(--raised); padding: 1rem; border-radius: .5rem; overflow-x: auto;
  font-size: .8rem; line-height: 1.45; }
.users { display: grid; gap: 1rem;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 20rem), 1fr)); }
.user { background: var(--raised); border-radius: .5rem; padding: 1rem 1.2rem; font-size: .875rem;
  break-inside: avoid; overflow-wrap: anywhere; }
.user h3 { margin: 0 0 .5rem; } .user h4 { margin: .7rem 0 .1rem; font-size: .8rem;
  font-weight: 400; color: var(--muted); }
.user ul, .user ol { margin: 0; padding-left: 1.2rem; } .user ul { color: var(--muted); }
@media (max-width: 34rem) { body { padding: 1.4rem 1rem 3rem; font-size: 15px; }
  h1 { font-size: 1.7rem; } .tile { padding: .7rem .8rem; }
  .tiles { grid-template-columns: 1fr 1fr; }
  .tile dd { font-size: 1.25rem; } th, td { padding-left: .9rem; } }
@media print { body { max-width: none; padding: 0; font-size: 11px; } nav { display: none; }
  .thirds, .users { grid-template-columns: repeat(3, 1fr); }
  .halves { grid-template-columns: 1fr 1fr; }
  section { margin-top: 1.5rem; padding-top: 1rem; } tr { break-inside: avoid; }
  h2, h3 { break-after: avoid; } }
"""


@dataclasses.dataclass(frozen=True)
class Cell:
    """A table's cell: its text, small text below it, and the kind `good` or `bad`."""

    text: str
    below: str = ""
    kind: str = ""


@dataclasses.dataclass(frozen=True)
class TableRow:
    """A table's row; rows of our own lists are highlighted."""

    cells: Sequence[Cell | str]
    ours: bool = False


def add_text(parent: Element, tag: str, text: str, kind: str = "") -> Element:
    """Adds an element with text."""
    element = SubElement(parent, tag, {"class": kind} if kind else {})
    element.text = wording.replace_control_characters(text)
    return element


def add_section(body: Element, title: str, lead: str) -> Element:
    """Adds a section with a heading; `lead` explains how to read it."""
    part = SubElement(body, "section", id=make_anchor(title))
    add_text(part, "h2", title)
    add_text(part, "p", lead, "lead")
    return part


def make_anchor(title: str) -> str:
    """The id of a heading, for links."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def add_plot_grid(parent: Element, width: Literal["thirds", "halves"]) -> Element:
    """Adds a grid for `add_plot`."""
    return SubElement(parent, "div", {"class": f"plots {width}"})


def add_plot(grid: Element, figure: Figure, title: str, caption: str) -> None:
    """Adds a figure with its heading; `caption` describes and interprets it."""
    plot = SubElement(grid, "figure")
    add_text(plot, "h3", title)
    count = len(grid.findall("figure"))
    plot.append(charts.render_svg(figure, f"{make_anchor(title)}-{count}", f"{title}. {caption}"))
    add_text(plot, "figcaption", caption)


def add_table(
    parent: Element, header: Sequence[str], rows: Sequence[TableRow], texts: int = 1
) -> None:
    """Adds a table that scrolls where it is too wide; the first `texts` columns are text."""
    scroll = SubElement(parent, "div", {"class": "scroll", "tabindex": "0"})
    grid = SubElement(scroll, "table")
    top = SubElement(SubElement(grid, "thead"), "tr")
    for column, words in enumerate(header):
        add_text(top, "th", words, "text" if column < texts else "")
    body = SubElement(grid, "tbody")
    for row in rows:
        line = SubElement(body, "tr", {"class": "ours"} if row.ours else {})
        for column, cell in enumerate(row.cells):
            _add_cell(line, cell if isinstance(cell, Cell) else Cell(cell), column < texts)


def add_details(parent: Element, title: str) -> Element:
    """Adds a collapsed part."""
    details = SubElement(parent, "details")
    add_text(details, "summary", title)
    return details


def make_interval_cell(interval: MetricInterval | None) -> Cell:
    """The value above its interval; a dash where there is none."""
    if interval is None:
        return Cell("–")
    return Cell(wording.format_number(interval.value), wording.format_interval(interval))


def _add_cell(line: Element, cell: Cell, is_text: bool) -> None:
    kinds = " ".join(filter(None, ["text" if is_text else "", cell.kind]))
    element = add_text(line, "td", cell.text, kinds)
    if cell.below:
        add_text(element, "small", cell.below)


def render_stylesheet() -> str:
    """The style sheet, with colours for light and dark screens; paper is always light."""
    light = "".join(f"--{name}: {shade.light}; " for name, shade in CSS_VARIABLES.items())
    dark = "".join(f"--{name}: {shade.dark}; " for name, shade in CSS_VARIABLES.items())
    return (
        f":root {{ {light}}}\n"
        f"@media screen and (prefers-color-scheme: dark) {{ :root {{ {dark}}} }}\n{_STYLE_RULES}"
    )
