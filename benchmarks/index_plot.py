"""The frontiers of indexes: what they find beside what a query costs."""

import pathlib
from typing import Any

import matplotlib

matplotlib.use("Agg")

_LEAST = 0.5
"""Below that nobody asks."""


def save(result: dict[str, Any], target: float, file: pathlib.Path) -> None:
    """One panel a set of vectors, one line an index, `target` as a dashed line; points that another
    of the same index beats in both are left out.
    """
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(1, len(result), figsize=(6 * len(result), 4.5), squeeze=False)
    for axes, (name, of) in zip(panels[0], result.items(), strict=True):
        for row in of["rows"]:
            points = frontier(row["points"])
            if points:
                axes.plot(*zip(*points, strict=True), marker=".", label=row["name"])
        axes.axvline(target, linestyle="--", color="grey")
        axes.set(
            yscale="log", xlabel="ANN recall@100", ylabel="ms of one query (median, all threads)",
            title=f"{name}, {of['items']:,} x {of['dim']}",
        )  # fmt: skip
        axes.legend()
    figure.tight_layout()
    figure.savefig(file)
    pyplot.close(figure)


def frontier(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Of (recall, milliseconds) those from .5 on that no other one beats in both, by recall."""
    retained: list[tuple[float, float]] = []
    for recall, ms in sorted((tuple(point) for point in points), reverse=True):
        if recall >= _LEAST and (not retained or ms < retained[-1][1]):
            retained.append((recall, ms))
    return retained[::-1]
