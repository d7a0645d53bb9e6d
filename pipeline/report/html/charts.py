"""The page's colours and charts, as SVG inside the page.

Charts are drawn in the colours of light paper; `render_svg` replaces each by the page's CSS
variable, so that a chart suits light and dark screens. An SVG's text stays text, its ids
have the chart's prefix, and nothing in it depends on when or where it is drawn.
"""

import contextlib
import dataclasses
import io
import re
from collections.abc import Iterator
from typing import Literal, NamedTuple
from xml.etree.ElementTree import Element, fromstring

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from pipeline.report.html import wording

_WIDTHS_INCHES = {"third": 3.7, "half": 5.0}
_DROPPED_TAGS = {"metadata", "style"}
_NO_METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}
_REFERENCE = re.compile(r"url\(#([^)]+)\)")


class Shade(NamedTuple):
    """A colour for light and dark screens, as #rrggbb in lower case."""

    light: str
    dark: str


INK = Shade("#1c2127", "#e7e9ec")

MUTED = Shade("#5f6973", "#9aa5b1")

RULE = Shade("#d9dde2", "#353c45")

_MATPLOTLIB_STYLE = {
    "font.size": 9,
    "text.color": INK.light,
    "text.parse_math": False,  # a dollar sign in the data is text
    "axes.edgecolor": RULE.light,
    "axes.facecolor": "none",
    "axes.labelcolor": MUTED.light,
    "axes.labelsize": 9,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": RULE.light,
    "grid.linewidth": 0.6,
    "xtick.color": RULE.light,
    "ytick.color": RULE.light,
    "xtick.labelcolor": MUTED.light,
    "ytick.labelcolor": MUTED.light,
    "figure.facecolor": "none",
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "lines.linewidth": 1.6,
}


@contextlib.contextmanager
def open_axes(width: Literal["third", "half"], height: float) -> Iterator[tuple[Figure, Axes]]:
    """Yields an empty plot, `height` inches high, to be drawn inside the block."""
    with matplotlib.rc_context(_MATPLOTLIB_STYLE):
        figure = Figure((_WIDTHS_INCHES[width], height), layout="constrained")
        yield figure, figure.add_subplot()


def hide_y_axis(axes: Axes) -> None:
    """Removes line and ticks of the y axis; its labels are names, as dark as text."""
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0, labelcolor=INK.light)
    axes.grid(visible=False, axis="y")


PAPER = Shade("#fdfdfc", "#15181c")

RAISED = Shade("#f4f5f6", "#1e2329")

ACCENT = Shade("#0d6e8c", "#57bddc")

SOFT = Shade("#a8cfdc", "#2b5f70")

GOOD = Shade("#1f7a4d", "#63c795")

BAD = Shade("#b3261e", "#ff8a80")

CSS_VARIABLES = {
    "paper": PAPER,
    "raised": RAISED,
    "ink": INK,
    "muted": MUTED,
    "rule": RULE,
    "accent": ACCENT,
    "soft": SOFT,
    "good": GOOD,
    "bad": BAD,
}
"""By name of the CSS variable; light shades are distinct."""


@dataclasses.dataclass(frozen=True)
class Dot:
    """A value, the bounds of its interval if any, and whether it is highlighted."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    ours: bool = True


def draw_dots(dots: list[Dot], axis: str, level: tuple[str, float] | None = None) -> Figure:
    """Draws dots with intervals, from top to bottom.

    Args:
        dots: The values.
        axis: Label of the x axis.
        level: Name and value of a vertical line.
    """
    height = 0.62 + 0.23 * len(dots) + (0.2 if level else 0.0)
    with open_axes("third", height) as (figure, axes):
        for row, dot in enumerate(dots):
            colour = (ACCENT if dot.ours else MUTED).light
            if dot.low is not None and dot.high is not None:
                axes.plot([dot.low, dot.high], [row, row], color=colour, linewidth=1.4)
            axes.plot([dot.value], [row], "o", color=colour, markersize=5)
        if level is not None:
            axes.axvline(level[1], color=INK.light, linewidth=1, linestyle=(0, (4, 3)))
            axes.annotate(
                level[0], (level[1], 1), (0, 3), xycoords=("data", "axes fraction"),
                textcoords="offset points", ha="center", fontsize=8, color=MUTED.light,
            )  # fmt: skip
        axes.set_yticks(range(len(dots)), [wording.shorten(dot.name) for dot in dots])
        axes.set_ylim(len(dots) - 0.4, -0.6)
        axes.set_xlim(left=min(0.0, axes.get_xlim()[0]))
        axes.locator_params(axis="x", nbins=5)
        axes.set_xlabel(axis)
        hide_y_axis(axes)
    return figure


def render_svg(figure: Figure, name: str, description: str) -> Element:
    """Renders a figure; `name` is unique on the page, `description` is for screen readers."""
    file = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        FigureCanvasSVG(figure).print_svg(file, metadata=_NO_METADATA)
    svg = fromstring(file.getvalue())
    for element in list(svg.iter()):
        _clean_element(element, name)
    for unsized in ("width", "height", "version"):
        svg.attrib.pop(unsized, None)
    svg.attrib |= {"role": "img", "aria-label": description}
    return svg


def _clean_element(element: Element, prefix: str) -> None:
    element.tag = _strip_namespace(element.tag)
    element.text = element.text if element.tag == "text" else None
    element.tail = None
    for child in list(element):
        if _strip_namespace(child.tag) in _DROPPED_TAGS:
            element.remove(child)
    plain = {_strip_namespace(key): value for key, value in element.attrib.items()}
    element.attrib.clear()
    element.attrib |= {key: _rewrite_attribute(key, value, prefix) for key, value in plain.items()}


def _strip_namespace(name: str) -> str:
    return name.rpartition("}")[2]


def _rewrite_attribute(key: str, value: str, prefix: str) -> str:
    if key == "id":
        return f"{prefix}-{value}"
    if key == "href":
        return f"#{prefix}-{value.removeprefix('#')}"
    if key in ("style", "fill", "stroke"):
        for name, shade in CSS_VARIABLES.items():
            value = value.replace(shade.light, f"var(--{name})")
    return _REFERENCE.sub(rf"url(#{prefix}-\1)", value)
