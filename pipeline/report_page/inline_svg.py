"""A plot as SVG elements inside the page.

Its text stays text, its colours become the page's CSS variables, and its ids are told apart from
other plots' by a prefix. Nothing in it depends on when or where it is drawn.
"""

import io
import re
from xml.etree.ElementTree import Element, fromstring

import matplotlib
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from pipeline.report_page.palette import VARIABLES

_LEFT_OUT = {"metadata", "style"}
_NO_METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}
_REFERENCE = re.compile(r"url\(#([^)]+)\)")


def of(figure: Figure, name: str, said: str) -> Element:
    """`name` is the plot's own on the page; `said` is what is read to who does not see it."""
    file = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        FigureCanvasSVG(figure).print_svg(file, metadata=_NO_METADATA)
    svg = fromstring(file.getvalue())
    for element in list(svg.iter()):
        _make_plain(element, name)
    for unsized in ("width", "height", "version"):
        svg.attrib.pop(unsized, None)
    svg.attrib |= {"role": "img", "aria-label": said}
    return svg


def _make_plain(element: Element, prefix: str) -> None:
    element.tag = _local(element.tag)
    element.text = element.text if element.tag == "text" else None
    element.tail = None
    for child in list(element):
        if _local(child.tag) in _LEFT_OUT:
            element.remove(child)
    plain = {_local(key): value for key, value in element.attrib.items()}
    element.attrib.clear()
    element.attrib |= {key: _attribute(key, value, prefix) for key, value in plain.items()}


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _attribute(key: str, value: str, prefix: str) -> str:
    if key == "id":
        return f"{prefix}-{value}"
    if key == "href":
        return f"#{prefix}-{value.removeprefix('#')}"
    if key in ("style", "fill", "stroke"):
        for name, shade in VARIABLES.items():
            value = value.replace(shade.light, f"var(--{name})")
    return _REFERENCE.sub(rf"url(#{prefix}-\1)", value)
