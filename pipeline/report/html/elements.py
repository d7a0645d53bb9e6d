"""What the page is put together from. All text is escaped where it is written: ElementTree does."""

import dataclasses
import re
from collections.abc import Sequence
from typing import Literal
from xml.etree.ElementTree import Element, SubElement

from matplotlib.figure import Figure

from pipeline.report.html import wording
from pipeline.report_page import inline_svg


@dataclasses.dataclass(frozen=True)
class Cell:
    """A table's cell: its text, what stands small below it, and `good` or `bad` where it is."""

    text: str
    below: str = ""
    kind: str = ""


@dataclasses.dataclass(frozen=True)
class Row:
    """A table's row; `ours` ones stand out."""

    cells: Sequence[Cell | str]
    ours: bool = False


def text(parent: Element, tag: str, words: str, kind: str = "") -> Element:
    """An element with words in it."""
    element = SubElement(parent, tag, {"class": kind} if kind else {})
    element.text = wording.printable(words)
    return element


def section(body: Element, title: str, lead: str) -> Element:
    """A part of the page with a heading; `lead` says how to read it."""
    part = SubElement(body, "section", id=anchor(title))
    text(part, "h2", title)
    text(part, "p", lead, "lead")
    return part


def anchor(title: str) -> str:
    """The id by which a heading is linked."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def plots(parent: Element, width: Literal["thirds", "halves"]) -> Element:
    """A grid that `plot` adds to."""
    return SubElement(parent, "div", {"class": f"plots {width}"})


def plot(grid: Element, figure: Figure, title: str, caption: str) -> None:
    """A drawing with its heading; `caption` says what is seen and what follows from it."""
    place = SubElement(grid, "figure")
    text(place, "h3", title)
    count = len(grid.findall("figure"))
    place.append(inline_svg.of(figure, f"{anchor(title)}-{count}", f"{title}. {caption}"))
    text(place, "figcaption", caption)


def table(parent: Element, header: Sequence[str], rows: Sequence[Row], texts: int = 1) -> None:
    """The first `texts` columns are words, the others numbers. Too wide a table scrolls."""
    scroll = SubElement(parent, "div", {"class": "scroll", "tabindex": "0"})
    grid = SubElement(scroll, "table")
    top = SubElement(SubElement(grid, "thead"), "tr")
    for column, words in enumerate(header):
        text(top, "th", words, "text" if column < texts else "")
    body = SubElement(grid, "tbody")
    for row in rows:
        line = SubElement(body, "tr", {"class": "ours"} if row.ours else {})
        for column, cell in enumerate(row.cells):
            _cell(line, cell if isinstance(cell, Cell) else Cell(cell), column < texts)


def folded(parent: Element, title: str) -> Element:
    """What is there for who asks for it."""
    details = SubElement(parent, "details")
    text(details, "summary", title)
    return details


def _cell(line: Element, cell: Cell, is_text: bool) -> None:
    kinds = " ".join(filter(None, ["text" if is_text else "", cell.kind]))
    element = text(line, "td", cell.text, kinds)
    if cell.below:
        text(element, "small", cell.below)
