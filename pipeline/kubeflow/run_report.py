"""The task that writes to the root what `tandem run` writes there, and what KFP's pages show."""

# TFX reads the annotations below as a declaration; what the function is given are plain values.
# pyright: reportArgumentType=false, reportGeneralTypeIssues=false
# pyright: reportInvalidTypeArguments=false

import json

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types.standard_artifacts import Examples, Model, ModelEvaluation, PushedModel

from components.artifacts import s3_filesystem
from components.artifacts.types import Candidates, Histories, Metrics, Page, Verdict
from components.ingest import preflight
from pipeline.config.run_parameters import RunParameters
from pipeline.kubeflow.run_artifacts import RunArtifacts, run_root
from pipeline.kubeflow_run import publishing, run_config, run_stages, shown_metrics

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
    by the functions of `tandem run`, whether the models were pushed or refused. The properties of
    `metrics` are the run's numbers; `page` is its report, beside a copy of the summary.

    `config` is the JSON of the compiled configuration, `tasks` that of the names of all tasks
    before this one; the other parameters are the run's own. It is never cached: the root shows the
    latest run, whatever came from the cache.
    """
    s3_filesystem.register()
    preflight.open_file_systems()
    given = RunParameters(span, retrieval_epochs, ranking_epochs, thresholds)
    run = run_root(page.uri)
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
    from pipeline.kubeflow import root_files  # what draws the report costs seconds

    stages = run_stages.of(run, json.loads(tasks))
    applied = run_config.of(config, given)
    with publishing.published(root) as at:
        summary = root_files.write(applied, data_dir, at, artifacts, stages)
        for path in (at.report, at.summary):
            publishing.put(path, f"{page.uri}/{path.name}")
    page.uri = f"{page.uri}/{at.report.name}"  # a page of KFP's opens what the URI names
    for name, value in shown_metrics.of(summary).items():
        metrics.set_float_custom_property(name, value)
