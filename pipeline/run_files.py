"""What a run leaves at its root for people and programs: summary, report, lines of quality."""

from typing import Any

from pipeline import example_recommendations, quality_over_runs
from pipeline import summary as summaries
from pipeline.config.config import Config
from pipeline.report.html import page
from pipeline.run_root import RunDirectory
from pipeline.runner import Executed
from schema.labels import Split


def write(config: Config, data: str, at: RunDirectory, executed: Executed) -> dict[str, Any]:
    """Writes them below `at.root`, which has the curves of the trainings, and returns the summary.

    `data` is the folder or URL that was read.
    """
    summary = summaries.summarise(config, executed)
    best = summaries.ceiling(data)
    if best is not None and config.split == Split():  # it was measured under that split
        summary["retrieval"]["ceiling"] = best
    summary["examples"] = example_recommendations.of(summary)
    summaries.write(summary, at.summary)
    quality_over_runs.write(summary, at, executed.evaluations)
    page.write(summary, at)
    return summary
