"""What the index finds of what exact search finds, and how fast."""

from typing import Any
from xml.etree.ElementTree import Element

from matplotlib.figure import Figure

from pipeline.report.html import charts, elements, wording
from pipeline.report.html.elements import Row
from pipeline.report_page import palette

_RECALL = "ann_recall@100"


def add(body: Element, summary: dict[str, Any]) -> None:
    """The chosen index beside exact search; the frontier where the index was tuned. Exact search
    alone needs no plot.
    """
    index = summary["index"]
    part = elements.section(
        body, "Index",
        f"ANN recall@100: the share of exact search's first 100 of {index['items']:,} items that "
        "the index returns. Latency is the median of one query on this run's machine.",
    )  # fmt: skip
    if index["kind"] == "exact" and not index.get("frontier"):
        elements.text(part, "p", caption(index))
    else:
        grid = elements.plots(part, "thirds")
        elements.plot(grid, draw(index), "ANN recall against latency", caption(index))
    rows = [
        Row([f"chosen: {index['kind']}", wording.number(index[_RECALL]),
             f"{index['p50_ms']:.2f}"], ours=True),
        Row(["exact search", wording.number(1.0), f"{index['exact_p50_ms']:.2f}"]),
    ]  # fmt: skip
    elements.table(part, ["", "ANN recall@100", "p50 (ms)"], rows)


def draw(index: dict[str, Any]) -> Figure:
    """Towards the upper left is better."""
    frontier = sorted(index.get("frontier", []), key=lambda each: each["p50_ms"])
    with charts.axes("third", 2.7) as (figure, axes):
        axes.plot(
            [each["p50_ms"] for each in frontier], [each[_RECALL] for each in frontier],
            "o-", color=palette.MUTED.light, markersize=3.5, linewidth=1, label="tried",
        )  # fmt: skip
        axes.plot(
            [index["exact_p50_ms"]], [1.0], "s", color=palette.INK.light, label="exact search"
        )
        axes.plot(
            [index["p50_ms"]], [index[_RECALL]], "o", color=palette.ACCENT.light,
            markersize=7, label=f"chosen: {index['kind']}",
        )  # fmt: skip
        lowest = min([index[_RECALL], *(each[_RECALL] for each in frontier)])
        axes.set_ylim(min(0.9, lowest - 0.02), 1.01)
        slowest = max(each["p50_ms"] for each in [index, *frontier])
        axes.set_xlim(0, 1.1 * max(slowest, index["exact_p50_ms"]))
        axes.set_xlabel("p50 of one query (ms)")
        axes.set_ylabel("ANN recall@100")
        handles, names = axes.get_legend_handles_labels()
        kept = [pair for pair in zip(handles, names, strict=True) if frontier or pair[1] != "tried"]
        figure.legend(*zip(*kept, strict=True), loc="outside upper left", ncols=3)
    return figure


def caption(index: dict[str, Any]) -> str:
    """Chosen beside exact, in times."""
    if index["kind"] == "exact":
        return "Exact search was chosen: it finds everything, and so few items need nothing faster."
    times = index["exact_p50_ms"] / index["p50_ms"]
    speed = f"{times:.1f} times as fast as" if times >= 1 else f"{1 / times:.1f} times as slow as"
    tried = len(index.get("frontier", []))
    more = f" Settings tried: {tried}." if tried else ""
    return (
        f"The chosen index is {speed} plain exact search and finds "
        f"{wording.share(index[_RECALL], 1)} of what it finds.{more}"
    )
