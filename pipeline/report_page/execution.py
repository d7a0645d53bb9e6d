"""What ran for how long, in which versions, under which configuration."""

import json
from typing import Any
from xml.etree.ElementTree import Element

from matplotlib.figure import Figure

from pipeline.report.html import charts, elements
from pipeline.report.html.elements import Row
from pipeline.report_page import palette

Stage = dict[str, Any]


def add(body: Element, summary: dict[str, Any]) -> None:
    """Times of the stages; versions and configuration folded."""
    stages: list[Stage] = summary["stages"]
    part = elements.section(body, "Execution", lead(stages))
    grid = elements.plots(part, "halves")
    slowest = max(stages, key=lambda stage: stage["seconds"])
    said = f"{slowest['name']} took longest: {slowest['seconds']:.1f} s. Cached stages in grey."
    elements.plot(grid, seconds(stages), "Time of each stage", said)
    versions = elements.folded(part, "Versions")
    rows = [Row([name, version]) for name, version in summary["versions"].items()]
    elements.table(versions, ["package", "version"], rows, texts=2)
    configuration = elements.folded(part, "Configuration")
    elements.text(configuration, "pre", json.dumps(summary["config"], indent=1, ensure_ascii=False))


def lead(stages: list[Stage]) -> str:
    """How many were executed, and how long all took."""
    executed = sum(not stage["cached"] for stage in stages)
    total = sum(stage["seconds"] for stage in stages)
    minutes, rest = divmod(round(total), 60)
    took = f"{minutes} min {rest} s" if minutes else f"{rest} s"
    return (
        f"{executed} of {len(stages)} stages were executed, the others came from the cache: {took}."
    )


def seconds(stages: list[Stage]) -> Figure:
    """A bar a stage, in the order in which they ran."""
    with charts.axes("half", 0.6 + 0.21 * len(stages)) as (figure, axes):
        took = [stage["seconds"] for stage in stages]
        colours = [(palette.MUTED if s["cached"] else palette.SOFT).light for s in stages]
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
        charts.no_y_axis(axes)
    return figure
