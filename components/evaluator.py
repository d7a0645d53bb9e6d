"""Evaluates both stages on the test split and decides about the blessing."""

import json

import tensorflow as tf
from tfx.components.evaluator import constants
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.dsl.io import fileio
from tfx.types import standard_artifacts
from tfx.utils import path_utils

from components import training_inputs
from components.artifact_types import Candidates
from schema import candidates as candidate_files
from trainer import blessing, evaluation
from trainer.config import EvaluationConfig, RankingConfig, RetrievalConfig
from trainer.ranking_verdict import served_order

METRICS = "metrics.json"


@component
def Evaluator(
    timelines: InputArtifact[standard_artifacts.Examples],
    timelines_graph: InputArtifact[standard_artifacts.TransformGraph],
    items: InputArtifact[standard_artifacts.Examples],
    items_graph: InputArtifact[standard_artifacts.TransformGraph],
    query: InputArtifact[standard_artifacts.Model],
    candidates: InputArtifact[Candidates],
    ranking: InputArtifact[standard_artifacts.Model],
    evaluation_result: OutputArtifact[standard_artifacts.ModelEvaluation],
    verdict: OutputArtifact[standard_artifacts.ModelBlessing],
    dataset: Parameter[str],
    retrieval_config: Parameter[str],
    ranking_config: Parameter[str],
    config: Parameter[str],
) -> None:
    """Writes metrics.json and TFX's BLESSED or NOT_BLESSED with its property `blessed`."""
    data = training_inputs.load(timelines, timelines_graph, items, items_graph, dataset)
    ranking_dir = path_utils.serving_model_dir(ranking.uri)
    settings = EvaluationConfig.model_validate_json(config)
    measured = evaluation.evaluate(
        data,
        tf.saved_model.load(path_utils.serving_model_dir(query.uri)),
        tf.saved_model.load(ranking_dir),
        served_order(ranking_dir),
        candidate_files.load(candidates.uri),
        RetrievalConfig.model_validate_json(retrieval_config),
        RankingConfig.model_validate_json(ranking_config),
        settings,
    )
    failures = blessing.failures(measured, settings)
    with fileio.open(f"{evaluation_result.uri}/{METRICS}", "w") as file:
        json.dump(measured | {"failures": failures}, file, indent=1)
    _write_verdict(verdict, failures)


def _write_verdict(verdict: standard_artifacts.ModelBlessing, failures: list[str]) -> None:
    name = constants.NOT_BLESSED_FILE_NAME if failures else constants.BLESSED_FILE_NAME
    with fileio.open(f"{verdict.uri}/{name}", "w") as file:
        file.write("\n".join(failures))
    verdict.set_int_custom_property(
        constants.ARTIFACT_PROPERTY_BLESSED_KEY,
        constants.NOT_BLESSED_VALUE if failures else constants.BLESSED_VALUE,
    )
    verdict.set_string_custom_property("failures", "\n".join(failures))
