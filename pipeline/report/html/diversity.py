"""What diversity costs: accuracy of the final lists against their diversity, coverage and gaps."""

from collections.abc import Callable
from xml.etree.ElementTree import Element

from matplotlib.figure import Figure

from pipeline.report.html import charts, elements, wording
from pipeline.report.html.elements import TableRow
from schema.evaluation_summary import DiversityCurve, DiversityPoint
from schema.run_summary import RunSummary

_NDCG = wording.format_name("ndcg@10")
_READERS: dict[str, Callable[[DiversityPoint], float | None]] = {
    "diversity@10": lambda point: point.distance,
    "coverage@10": lambda point: point.coverage,
}
Series = dict[str, list[float | None]]
"""Name of a measure -> its value at each point."""


def add_diversity_section(body: Element, summary: RunSummary) -> None:
    """Adds a plot for each measure against NDCG@10, and a table; nothing without points."""
    curve = summary.diversity
    if not curve.points:
        return
    default = find_default(summary)
    part = elements.add_section(body, "Diversity", _describe_curve(curve, default))
    grid = elements.add_plot_grid(part, "thirds")
    series = collect_series(curve)
    for name, values in series.items():
        if any(value is not None for value in values):
            figure = draw_trade_off(curve, name, values, default)
            elements.add_plot(grid, figure, name, describe_trade_off(curve, name, values))
    rows = [
        TableRow(
            [f"{point.diversity:g}", *map(wording.format_number, [point.ndcg, *values])],
            point.diversity == default,
        )
        for point, *values in zip(curve.points, *series.values(), strict=True)
    ]
    elements.add_table(part, ["diversity", _NDCG, *series], rows)


def find_default(summary: RunSummary) -> float:
    """The diversity of requests that do not set it."""
    return summary.config.get("recommend", {}).get("diversity", 0.0)


def collect_series(curve: DiversityCurve) -> Series:
    """Diversity, coverage, and the gap of each declared group."""
    series: Series = {
        wording.format_name(metric): [read(point) for point in curve.points]
        for metric, read in _READERS.items()
    }
    groups = dict.fromkeys(name for point in curve.points for name in point.gaps)
    gaps: Series = {
        f"gap of {name}": [point.gaps.get(name) for point in curve.points] for name in groups
    }
    return series | gaps


def describe_trade_off(curve: DiversityCurve, name: str, values: list[float | None]) -> str:
    """Both measures at the first and the last point."""
    first, last = curve.points[0], curve.points[-1]
    number = wording.format_number
    return (
        f"From {first.diversity:g} to {last.diversity:g}: {name} from {number(values[0])} to "
        f"{number(values[-1])}, {_NDCG} from {number(first.ndcg)} to {number(last.ndcg)}."
    )


def draw_trade_off(
    curve: DiversityCurve, name: str, values: list[float | None], default: float
) -> Figure:
    """Draws NDCG@10 over a measure, with the diversity at each point, the default's in the accent
    colour.
    """
    known = [
        (value, point)
        for value, point in zip(values, curve.points, strict=True)
        if value is not None
    ]
    with charts.open_axes("third", 2.6) as (figure, axes):
        line = [point.ndcg for _, point in known]
        axes.plot([value for value, _ in known], line, color=charts.MUTED.light)
        for value, point in known:
            shade = charts.ACCENT if point.diversity == default else charts.MUTED
            axes.plot([value], [point.ndcg], "o", color=shade.light)
            axes.annotate(
                f"{point.diversity:g}", (value, point.ndcg), (4, 4),
                textcoords="offset points", fontsize=8, color=charts.MUTED.light,
            )  # fmt: skip
        axes.set_ylim(bottom=0)
        axes.margins(0.12)
        axes.locator_params(axis="x", nbins=5)
        axes.set_xlabel(name)
        axes.set_ylabel(_NDCG)
    return figure


def _describe_curve(curve: DiversityCurve, default: float) -> str:
    return (
        f"The final lists of {curve.users:,} test users at different values of the request's "
        f"input diversity, which each point shows; {default:g} is the default of this "
        "configuration (recommend.diversity), with which the final lists are measured elsewhere on "
        "this page. Diversity@10 is the mean distance of a list's items."
    )
