"""Empty plots in the page's manner: no frame, quiet grid, two widths."""

import contextlib
from collections.abc import Iterator
from typing import Literal

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.report_page import palette

_WIDTH = {"third": 3.7, "half": 5.0}
_STYLE = {
    "font.size": 9,
    "text.color": palette.INK.light,
    "text.parse_math": False,  # a dollar sign in somebody's data is a dollar sign
    "axes.edgecolor": palette.RULE.light,
    "axes.facecolor": "none",
    "axes.labelcolor": palette.MUTED.light,
    "axes.labelsize": 9,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": palette.RULE.light,
    "grid.linewidth": 0.6,
    "xtick.color": palette.RULE.light,
    "ytick.color": palette.RULE.light,
    "xtick.labelcolor": palette.MUTED.light,
    "ytick.labelcolor": palette.MUTED.light,
    "figure.facecolor": "none",
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "lines.linewidth": 1.6,
}


@contextlib.contextmanager
def axes(width: Literal["third", "half"], height: float) -> Iterator[tuple[Figure, Axes]]:
    """One plot of `height` inches, to be drawn while it lasts."""
    with matplotlib.rc_context(_STYLE):
        figure = Figure((_WIDTH[width], height), layout="constrained")
        yield figure, figure.add_subplot()


def no_y_axis(drawn: Axes) -> None:
    """For rows with names: no line and no ticks at the left, names as dark as text."""
    drawn.spines["left"].set_visible(False)
    drawn.tick_params(axis="y", length=0, labelcolor=palette.INK.light)
    drawn.grid(visible=False, axis="y")
