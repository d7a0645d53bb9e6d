"""The results of `benchmarks.index` as readable tables."""

from collections.abc import Sequence
from typing import Any

_COLUMNS = (
    "index", "build s", "MB", "of vectors", "threads", "recall@10", "recall@100", "p50 ms",
    "p99 ms", "exact / p50", "queries/s by 32", "parameters",
)  # fmt: skip


def table(result: dict[str, Any], target: float) -> str:
    """Markdown; a recall below `target` is marked."""
    return "\n\n".join(
        f"{name}: {values['items']:,} items of {values['dim']} columns\n\n"
        + "\n".join(_lines(values, target))
        for name, values in result.items()
    )


def _lines(values: dict[str, Any], target: float) -> list[str]:
    stored = 4 * values["items"] * values["dim"]
    lines = [_line(_COLUMNS), _line(["---"] * len(_COLUMNS))]
    for row in values["rows"]:
        for threads, measured in row["asked"].items():
            lines.append(
                _line(
                    [
                        *_format_build(row, stored),
                        threads,
                        *_format_measurements(measured, target),
                        _format_parameters(row),
                    ]
                )
            )
    return lines


def _format_build(row: dict[str, Any], stored: int) -> list[str]:
    size = row["bytes"]
    return [
        row["name"],
        f"{row['build_seconds']:.1f}",
        f"{size / 1e6:,.1f}",
        f"{size / stored:.2f}",
    ]


def _format_measurements(measured: dict[str, Any], target: float) -> list[str]:
    recall, ratio = measured["ann_recall@100"], measured["p50_ratio_to_exact"]
    return [
        f"{measured['ann_recall@10']:.3f}",
        f"{recall:.3f}" + ("" if recall >= target else " (!)"),
        f"{measured['p50_ms']:.2f}",
        f"{measured['p99_ms']:.2f}",
        "" if ratio is None else f"{1 / ratio:.1f}",
        f"{measured['batch_per_second']:,.0f}",
    ]


def _format_parameters(row: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in row["parameters"].items() if value)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
