"""How fast it is: recall and latency of the index, the time of each stage, and what ran."""

import json
from xml.etree.ElementTree import Element

from matplotlib.figure import Figure

from pipeline.report.html import charts, elements, wording
from pipeline.report.html.elements import TableRow
from schema.run_summary import IndexSummary, RunSummary, StageTime


def add_index_section(body: Element, index: IndexSummary) -> None:
    """Adds the chosen index and exact search, with the frontier of a tuned index. Exact search
    alone has no plot.
    """
    part = elements.add_section(
        body, "Index",
        f"ANN recall@100: the share of exact search's first 100 of {index.items:,} items that "
        "the index returns. Latency is the median of one query on this run's machine.",
    )  # fmt: skip
    if index.kind == "exact" and not index.frontier:
        elements.add_text(part, "p", describe_index(index))
    else:
        grid = elements.add_plot_grid(part, "thirds")
        elements.add_plot(
            grid, draw_index_frontier(index), "ANN recall against latency", describe_index(index)
        )
    rows = [
        TableRow([f"chosen: {index.kind}", wording.format_number(index.ann_recall),
             f"{index.p50_ms:.2f}"], ours=True),
        TableRow(["exact search", wording.format_number(1.0), f"{index.exact_p50_ms:.2f}"]),
    ]  # fmt: skip
    elements.add_table(part, ["", "ANN recall@100", "p50 (ms)"], rows)


def draw_index_frontier(index: IndexSummary) -> Figure:
    """Draws recall over latency; the upper left is best."""
    frontier = sorted(index.frontier, key=lambda point: point.p50_ms)
    with charts.open_axes("third", 2.7) as (figure, axes):
        axes.plot(
            [point.p50_ms for point in frontier], [point.ann_recall for point in frontier],
            "o-", color=charts.MUTED.light, markersize=3.5, linewidth=1, label="tried",
        )  # fmt: skip
        axes.plot([index.exact_p50_ms], [1.0], "s", color=charts.INK.light, label="exact search")
        axes.plot(
            [index.p50_ms], [index.ann_recall], "o", color=charts.ACCENT.light,
            markersize=7, label=f"chosen: {index.kind}",
        )  # fmt: skip
        lowest = min([index.ann_recall, *(point.ann_recall for point in frontier)])
        axes.set_ylim(min(0.9, lowest - 0.02), 1.01)
        slowest = max(point.p50_ms for point in [index, *frontier])
        axes.set_xlim(0, 1.1 * max(slowest, index.exact_p50_ms))
        axes.set_xlabel("p50 of one query (ms)")
        axes.set_ylabel("ANN recall@100")
        handles, names = axes.get_legend_handles_labels()
        pairs = zip(handles, names, strict=True)
        pairs = [pair for pair in pairs if frontier or pair[1] != "tried"]
        figure.legend(*zip(*pairs, strict=True), loc="outside upper left", ncols=3)
    return figure


def describe_index(index: IndexSummary) -> str:
    """Compares the chosen index with exact search."""
    if index.kind == "exact":
        return "Exact search was chosen: it finds everything, and so few items need nothing faster."
    times = index.exact_p50_ms / index.p50_ms
    speed = f"{times:.1f} times as fast as" if times >= 1 else f"{1 / times:.1f} times as slow as"
    tried = len(index.frontier)
    more = f" Settings tried: {tried}." if tried else ""
    return (
        f"The chosen index is {speed} plain exact search and finds "
        f"{wording.format_share(index.ann_recall, 1)} of what it finds.{more}"
    )


def add_execution_section(body: Element, summary: RunSummary) -> None:
    """Adds the time of each stage, and, collapsed, versions and configuration."""
    stages = summary.stages
    part = elements.add_section(body, "Execution", describe_execution(stages))
    grid = elements.add_plot_grid(part, "halves")
    slowest = max(stages, key=lambda stage: stage.seconds)
    caption = f"{slowest.name} took longest: {slowest.seconds:.1f} s. Cached stages in grey."
    elements.add_plot(grid, draw_stage_seconds(stages), "Time of point stage", caption)
    versions = elements.add_details(part, "Versions")
    rows = [TableRow([name, version]) for name, version in summary.versions.items()]
    elements.add_table(versions, ["package", "version"], rows, texts=2)
    configuration = elements.add_details(part, "Configuration")
    elements.add_text(
        configuration, "pre", json.dumps(summary.config, indent=1, ensure_ascii=False)
    )


def describe_execution(stages: list[StageTime]) -> str:
    """The number of executed stages, and the total time."""
    executed = sum(not stage.cached for stage in stages)
    total = sum(stage.seconds for stage in stages)
    minutes, rest = divmod(round(total), 60)
    text = f"{minutes} min {rest} s" if minutes else f"{rest} s"
    return (
        f"{executed} of {len(stages)} stages were executed, the others came from the cache: {text}."
    )


def draw_stage_seconds(stages: list[StageTime]) -> Figure:
    """Draws a bar per stage, in order of execution."""
    with charts.open_axes("half", 0.6 + 0.21 * len(stages)) as (figure, axes):
        seconds = [stage.seconds for stage in stages]
        colours = [(charts.MUTED if s.cached else charts.SOFT).light for s in stages]
        axes.barh(range(len(stages)), seconds, color=colours, height=0.65)
        for row, value in enumerate(seconds):
            axes.annotate(
                f"{value:.1f}", (value, row), (3, 0), textcoords="offset points", va="center",
                fontsize=8,
            )  # fmt: skip
        axes.set_yticks(range(len(stages)), [stage.name for stage in stages])
        axes.set_ylim(len(stages) - 0.4, -0.6)
        axes.margins(x=0.12)
        axes.set_xlabel("seconds")
        charts.hide_y_axis(axes)
    return figure
