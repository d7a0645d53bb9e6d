"""The task that writes the same files to the root as `tandem run`, and the report and metrics that
KFP's user interface shows and compares between runs.
"""

# TFX reads the annotations below as a declaration; the function receives plain values.
# pyright: reportArgumentType=false, reportGeneralTypeIssues=false
# pyright: reportInvalidTypeArguments=false

import json
import math

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types.standard_artifacts import Examples, Model, ModelEvaluation, PushedModel

from components.artifacts import s3_filesystem
from components.artifacts.types import Candidates, Histories, Metrics, Page, Verdict
from components.ingest.read.files import open_file_systems
from pipeline.config.run_parameters import RunParameters
from pipeline.kubeflow.run_artifacts import (
    RunArtifacts,
    apply_run_parameters,
    get_run_root,
    list_stages,
)
from schema.evaluation_summary import ListMetrics
from schema.run_summary import RunSummary

NAME = "RunReport"


@component
def RunReport(
    examples: InputArtifact[Examples],
    histories: InputArtifact[Histories],
    items: InputArtifact[Examples],
    passed: InputArtifact[Verdict],
    retrieval: InputArtifact[Model],
    candidates: InputArtifact[Candidates],
    index: InputArtifact[Model],
    ranking: InputArtifact[Model],
    analysis: InputArtifact[ModelEvaluation],
    evaluation_result: InputArtifact[ModelEvaluation],
    servables: InputArtifact[Model],
    pushed: InputArtifact[PushedModel],
    metrics: OutputArtifact[Metrics],
    page: OutputArtifact[Page],
    config: Parameter[str],
    data_dir: Parameter[str],
    span: Parameter[str],
    retrieval_epochs: Parameter[int],
    ranking_epochs: Parameter[int],
    thresholds: Parameter[str],
    root: Parameter[str],
    tasks: Parameter[str],
) -> None:
    """Writes `summary.json`, `report.html`, `rejected/`, `statistics/` and `tensorboard/` at `root`
    with the functions of `tandem run`, whether or not the models were pushed. It is never cached:
    the root shows the latest run, even if all of it came from the cache.

    Args:
        examples: Events of the run, like the other inputs an artifact of the task that wrote it.
        histories: Users' histories.
        items: The catalogue.
        passed: Verdict of the data gate.
        retrieval: The retrieval model.
        candidates: Candidate vectors and their metadata.
        index: The nearest-neighbour index.
        ranking: The ranking model.
        analysis: TFMA's analysis of the ranking model.
        evaluation_result: Metrics and verdict.
        servables: The models to push.
        pushed: Versions that were pushed, or the refusal.
        metrics: Output; its properties are the run's metrics.
        page: Output; the report, in one folder with a copy of the summary.
        config: JSON of the compiled configuration.
        data_dir: Folder or URL of the input.
        span: Span of the tables, "" for the configured one.
        retrieval_epochs: Maximum number of epochs of retrieval.
        ranking_epochs: Maximum number of epochs of ranking.
        thresholds: JSON of `blessing.thresholds`.
        root: Folder or URL of the outputs.
        tasks: JSON list of the names of all tasks before this one.
    """
    s3_filesystem.register()
    open_file_systems()
    parameters = RunParameters(span, retrieval_epochs, ranking_epochs, thresholds)
    run = get_run_root(page.uri)
    artifacts = RunArtifacts(
        {
            "InteractionsGen": {"examples": examples, "histories": histories},
            "ItemsGen": {"examples": items},
            "DataGate": {"passed": passed},
            "RetrievalTrainer": {"model": retrieval, "candidates": candidates},
            "Indexer": {"index": index},
            "RankingTrainer": {"model": ranking},
            "RankingAnalysis": {"analysis": analysis},
            "Evaluator": {"evaluation_result": evaluation_result},
            "Recommender": {"servables": servables},
            "Pusher": {"pushed": pushed},
        },
        run,
    )
    from pipeline.kubeflow import root_files  # imports the report, which takes seconds

    stages = list_stages(run, json.loads(tasks))
    applied = apply_run_parameters(config, parameters)
    with root_files.publish_root(root) as run_root:
        summary = root_files.write_root_files(applied, data_dir, run_root, artifacts, stages)
        for path in (run_root.report, run_root.summary):
            root_files.copy_file(path, f"{page.uri}/{path.name}")
    page.uri = f"{page.uri}/{run_root.report.name}"  # KFP's page opens the file that the URI names
    for name, value in collect_displayed_metrics(summary).items():
        metrics.set_float_custom_property(name, value)


def collect_displayed_metrics(summary: RunSummary) -> dict[str, float]:
    """Metrics of the final lists, of retrieval and of each baseline, the verdict, the pushed
    version (0 for none) and the measurements of the index, by name.
    """
    lists: dict[str, ListMetrics] = {"final lists": summary.ranking, "retrieval": summary.retrieval}
    numbers = {
        f"{metric} of {name.replace('_', ' ')}": value
        for name, metrics in (lists | summary.retrieval.baselines).items()
        for metric, value in metrics.metrics.items()
        if math.isfinite(value)
    }
    versions = [servable.version for servable in summary.servables.values()]
    numbers["verdict: blessed"] = float(summary.verdict.blessed)
    numbers["verdict: rules broken"] = float(len(summary.verdict.failed))
    numbers["verdict: pushed version"] = float(max(versions, default=0))
    return numbers | {
        f"index: {name}": float(value)
        for name, value in summary.index.to_json().items()
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    }
