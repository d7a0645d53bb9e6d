"""What the index finds of what exact search finds, and how fast.

What ran for how long, in which versions, under which configuration.
"""

import json
from typing import Any
from xml.etree.ElementTree import Element

from matplotlib.figure import Figure

from pipeline.report.html import charts, elements, wording
from pipeline.report.html.elements import TableRow

_RECALL = "ann_recall@100"
StageRow = dict[str, Any]


def add_index_section(body: Element, summary: dict[str, Any]) -> None:
    """The chosen index beside exact search; the frontier where the index was tuned. Exact search
    alone needs no plot.
    """
    index = summary["index"]
    part = elements.add_section(
        body, "Index",
        f"ANN recall@100: the share of exact search's first 100 of {index['items']:,} items that "
        "the index returns. Latency is the median of one query on this run's machine.",
    )  # fmt: skip
    if index["kind"] == "exact" and not index.get("frontier"):
        elements.add_text(part, "p", describe_index(index))
    else:
        grid = elements.add_plot_grid(part, "thirds")
        elements.add_plot(
            grid, draw_index_frontier(index), "ANN recall against latency", describe_index(index)
        )
    rows = [
        TableRow([f"chosen: {index['kind']}", wording.format_number(index[_RECALL]),
             f"{index['p50_ms']:.2f}"], ours=True),
        TableRow(["exact search", wording.format_number(1.0), f"{index['exact_p50_ms']:.2f}"]),
    ]  # fmt: skip
    elements.add_table(part, ["", "ANN recall@100", "p50 (ms)"], rows)


def draw_index_frontier(index: dict[str, Any]) -> Figure:
    """Towards the upper left is better."""
    frontier = sorted(index.get("frontier", []), key=lambda each: each["p50_ms"])
    with charts.open_axes("third", 2.7) as (figure, axes):
        axes.plot(
            [each["p50_ms"] for each in frontier], [each[_RECALL] for each in frontier],
            "o-", color=charts.MUTED.light, markersize=3.5, linewidth=1, label="tried",
        )  # fmt: skip
        axes.plot([index["exact_p50_ms"]], [1.0], "s", color=charts.INK.light, label="exact search")
        axes.plot(
            [index["p50_ms"]], [index[_RECALL]], "o", color=charts.ACCENT.light,
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


def describe_index(index: dict[str, Any]) -> str:
    """Chosen beside exact, in times."""
    if index["kind"] == "exact":
        return "Exact search was chosen: it finds everything, and so few items need nothing faster."
    times = index["exact_p50_ms"] / index["p50_ms"]
    speed = f"{times:.1f} times as fast as" if times >= 1 else f"{1 / times:.1f} times as slow as"
    tried = len(index.get("frontier", []))
    more = f" Settings tried: {tried}." if tried else ""
    return (
        f"The chosen index is {speed} plain exact search and finds "
        f"{wording.format_share(index[_RECALL], 1)} of what it finds.{more}"
    )


def add_execution_section(body: Element, summary: dict[str, Any]) -> None:
    """Times of the stages; versions and configuration folded."""
    stages: list[StageRow] = summary["stages"]
    part = elements.add_section(body, "Execution", describe_execution(stages))
    grid = elements.add_plot_grid(part, "halves")
    slowest = max(stages, key=lambda stage: stage["seconds"])
    said = f"{slowest['name']} took longest: {slowest['seconds']:.1f} s. Cached stages in grey."
    elements.add_plot(grid, draw_stage_seconds(stages), "Time of each stage", said)
    versions = elements.add_details(part, "Versions")
    rows = [TableRow([name, version]) for name, version in summary["versions"].items()]
    elements.add_table(versions, ["package", "version"], rows, texts=2)
    configuration = elements.add_details(part, "Configuration")
    elements.add_text(
        configuration, "pre", json.dumps(summary["config"], indent=1, ensure_ascii=False)
    )


def describe_execution(stages: list[StageRow]) -> str:
    """How many were executed, and how long all took."""
    executed = sum(not stage["cached"] for stage in stages)
    total = sum(stage["seconds"] for stage in stages)
    minutes, rest = divmod(round(total), 60)
    took = f"{minutes} min {rest} s" if minutes else f"{rest} s"
    return (
        f"{executed} of {len(stages)} stages were executed, the others came from the cache: {took}."
    )


def draw_stage_seconds(stages: list[StageRow]) -> Figure:
    """A bar a stage, in the order in which they ran."""
    with charts.open_axes("half", 0.6 + 0.21 * len(stages)) as (figure, axes):
        took = [stage["seconds"] for stage in stages]
        colours = [(charts.MUTED if s["cached"] else charts.SOFT).light for s in stages]
        axes.barh(range(len(stages)), took, color=colours, height=0.65)
        for row, value in enumerate(took):
            axes.annotate(
                f"{value:.1f}", (value, row), (3, 0), textcoords="offset points", va="center",
                fontsize=8,
            )  # fmt: skip
        axes.set_yticks(range(len(stages)), [stage["name"] for stage in stages])
        axes.set_ylim(len(stages) - 0.4, -0.6)
        axes.margins(x=0.12)
        axes.set_xlabel("seconds")
        charts.hide_y_axis(axes)
    return figure
