"""The Pareto frontiers of indexes: recall against the time of a query."""

import pathlib
from typing import Any

import matplotlib

matplotlib.use("Agg")

_LEAST = 0.5
"""The lowest recall drawn: nobody would use less."""


def save(result: dict[str, Any], target: float, file: pathlib.Path) -> None:
    """Draws one panel per set of vectors, one line per index, and `target` as a dashed line; points
    dominated by another of the same index are left out.
    """
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(1, len(result), figsize=(6 * len(result), 4.5), squeeze=False)
    for axes, (name, values) in zip(panels[0], result.items(), strict=True):
        for row in values["rows"]:
            points = frontier(row["points"])
            if points:
                axes.plot(*zip(*points, strict=True), marker=".", label=row["name"])
        axes.axvline(target, linestyle="--", color="grey")
        axes.set(
            yscale="log", xlabel="ANN recall@100", ylabel="ms of one query (median, all threads)",
            title=f"{name}, {values['items']:,} x {values['dim']}",
        )  # fmt: skip
        axes.legend()
    figure.tight_layout()
    figure.savefig(file)
    pyplot.close(figure)


def frontier(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """The (recall, milliseconds) points with a recall of at least .5 that no other one dominates,
    by recall.
    """
    retained: list[tuple[float, float]] = []
    for recall, ms in sorted((tuple(point) for point in points), reverse=True):
        if recall >= _LEAST and (not retained or ms < retained[-1][1]):
            retained.append((recall, ms))
    return retained[::-1]
