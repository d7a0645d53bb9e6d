"""Values with their intervals, one below the other."""

import dataclasses

from matplotlib.figure import Figure

from pipeline.report.html import charts, wording
from pipeline.report_page import palette


@dataclasses.dataclass(frozen=True)
class Dot:
    """A value, the bounds of its interval where it has one, and whether it is ours."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    ours: bool = True


def draw(dots: list[Dot], axis: str, level: tuple[str, float] | None = None) -> Figure:
    """From top to bottom. `axis` says what is measured; `level` is a named upright line."""
    height = 0.62 + 0.23 * len(dots) + (0.2 if level else 0.0)
    with charts.axes("third", height) as (figure, axes):
        for row, dot in enumerate(dots):
            colour = (palette.ACCENT if dot.ours else palette.MUTED).light
            if dot.low is not None and dot.high is not None:
                axes.plot([dot.low, dot.high], [row, row], color=colour, linewidth=1.4)
            axes.plot([dot.value], [row], "o", color=colour, markersize=5)
        if level is not None:
            axes.axvline(level[1], color=palette.INK.light, linewidth=1, linestyle=(0, (4, 3)))
            axes.annotate(
                level[0], (level[1], 1), (0, 3), xycoords=("data", "axes fraction"),
                textcoords="offset points", ha="center", fontsize=8, color=palette.MUTED.light,
            )  # fmt: skip
        axes.set_yticks(range(len(dots)), [wording.short(dot.name) for dot in dots])
        axes.set_ylim(len(dots) - 0.4, -0.6)
        axes.set_xlim(left=min(0.0, axes.get_xlim()[0]))
        axes.locator_params(axis="x", nbins=5)
        axes.set_xlabel(axis)
        charts.no_y_axis(axes)
    return figure
