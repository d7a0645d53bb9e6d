"""TFX component: TFMA's metrics and plots of the ranking model's heads on the test split.

`trainer.evaluation.tfma_analysis` explains why this is not a TFX Evaluator.
"""

# TFX reads the annotations below as declarations; the function receives plain values.
# pyright: reportArgumentType=false, reportGeneralTypeIssues=false
# pyright: reportInvalidTypeArguments=false

import json

import apache_beam as beam
import tensorflow as tf
from tfx.dsl.component.experimental.annotations import (
    BeamComponentParameter,
    InputArtifact,
    OutputArtifact,
    Parameter,
)
from tfx.dsl.component.experimental.decorators import component
from tfx.dsl.io import fileio
from tfx.types.standard_artifacts import Examples, Model, ModelEvaluation, TransformGraph
from tfx.utils import path_utils

from components.artifacts import training_inputs
from components.artifacts.local_copies import use_local_copies
from components.artifacts.types import Candidates
from schema import candidates as candidate_files
from trainer.config.models import RankingConfig, RetrievalConfig
from trainer.evaluation.tfma_analysis import add_analysis, read_analysis
from trainer.evaluation.tfma_inputs import HeadRows, build_test_rows, describe_rows
from trainer.evaluation.trained_stages import TrainedStages

ANALYSIS = "analysis.json"


@component(use_beam=True)
@use_local_copies
def RankingAnalysis(
    timelines: InputArtifact[Examples],
    timelines_graph: InputArtifact[TransformGraph],
    items: InputArtifact[Examples],
    items_graph: InputArtifact[TransformGraph],
    query: InputArtifact[Model],
    candidates: InputArtifact[Candidates],
    ranking: InputArtifact[Model],
    analysis: OutputArtifact[ModelEvaluation],
    dataset: Parameter[str],
    retrieval_config: Parameter[str],
    ranking_config: Parameter[str],
    pipeline: BeamComponentParameter[beam.Pipeline] = None,
) -> None:
    """Writes the files for `tfma.load_eval_result(analysis.uri)`, and analysis.json: `heads`, the
    number of rows of each head or the reason why there are none, and `slices`, the metrics.

    No other component depends on the result.

    Args:
        timelines: Transformed timelines.
        timelines_graph: Transform graph of the timelines.
        items: Transformed catalogue.
        items_graph: Transform graph of the catalogue.
        query: Query model.
        candidates: Candidates of the query model.
        ranking: Ranking model.
        analysis: Receives the analysis.
        dataset: JSON of `schema.dataset.Dataset`.
        retrieval_config: JSON of RetrievalConfig.
        ranking_config: JSON of RankingConfig.
        pipeline: Beam pipeline, which TFX provides.
    """
    data = training_inputs.load(timelines, timelines_graph, items, items_graph, dataset)
    stages = TrainedStages(
        tf.saved_model.load(path_utils.serving_model_dir(query.uri)),
        tf.saved_model.load(path_utils.serving_model_dir(ranking.uri)),
        candidate_files.load(candidates.uri),
        RetrievalConfig.model_validate_json(retrieval_config),
        RankingConfig.model_validate_json(ranking_config),
    )
    predicted = build_test_rows(data, stages)
    heads = {name: rows for name, rows in predicted.items() if isinstance(rows, HeadRows)}
    with pipeline:
        add_analysis(pipeline, heads, analysis.uri)
    described = {name: describe_rows(rows) for name, rows in predicted.items()}
    slices = read_analysis(analysis.uri)
    with fileio.open(f"{analysis.uri}/{ANALYSIS}", "w") as file:
        json.dump({"heads": described, "slices": slices}, file, indent=1, allow_nan=False)
