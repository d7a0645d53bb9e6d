"""Evaluates both stages on the test split and decides about the blessing."""

import json
from typing import Any

import tensorflow as tf
from tfx.components.evaluator import constants
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.dsl.io import fileio
from tfx.types import standard_artifacts
from tfx.utils import path_utils

from components.artifacts import training_inputs
from components.artifacts.local_copies import use_local_copies
from components.artifacts.types import Candidates, Histories
from components.pushed.baseline import query_unchanged, query_version
from schema import candidates as candidate_files
from serving.versions.origin import ModelEvaluation, find_newest_version
from trainer.config.blessing import BlessingConfig, override_thresholds
from trainer.config.models import EvaluationConfig, RankingConfig, RetrievalConfig
from trainer.data.training_data import TrainingData
from trainer.evaluation.blessing import decide_blessing, list_failures
from trainer.evaluation.evaluate import evaluate
from trainer.evaluation.quality import COMPARISONS
from trainer.evaluation.trained_stages import TrainedStages
from trainer.ranking.serving_order import read_serving_order

METRICS = "metrics.json"
EVALUATED = "evaluated.json"
NEWEST = "newest"
"""The version to compare with, where it is to be found when the component runs."""


@component
@use_local_copies
def Evaluator(
    timelines: InputArtifact[standard_artifacts.Examples],
    timelines_graph: InputArtifact[standard_artifacts.TransformGraph],
    items: InputArtifact[standard_artifacts.Examples],
    items_graph: InputArtifact[standard_artifacts.TransformGraph],
    query: InputArtifact[standard_artifacts.Model],
    candidates: InputArtifact[Candidates],
    ranking: InputArtifact[standard_artifacts.Model],
    histories: InputArtifact[Histories],
    evaluation_result: OutputArtifact[standard_artifacts.ModelEvaluation],
    verdict: OutputArtifact[standard_artifacts.ModelBlessing],
    dataset: Parameter[str],
    retrieval_config: Parameter[str],
    ranking_config: Parameter[str],
    config: Parameter[str],
    blessing_config: Parameter[str],
    thresholds: Parameter[str],
    serving_dir: Parameter[str],
    pushed: Parameter[str],
    beside: Parameter[str],
) -> None:
    """Writes metrics.json with its verdict, evaluated.json (`Evaluated`), and TFX's BLESSED or
    NOT_BLESSED with its property `blessed`.

    `blessing_config` is the JSON of BlessingConfig but for its `thresholds`, which are JSON of
    their own. `pushed` is the version below `serving_dir` that the models must not be worse than: a
    number, `newest`, or "" for none. `beside` is one (a number or "") that is asked as well and
    decides nothing: what had come of it, had nothing been trained since.
    """
    data = training_inputs.load(timelines, timelines_graph, items, items_graph, dataset)
    ranking_dir = path_utils.serving_model_dir(ranking.uri)
    order = read_serving_order(ranking_dir)
    retrieval_settings = RetrievalConfig.model_validate_json(retrieval_config)
    ranking_settings = RankingConfig.model_validate_json(ranking_config)
    rules = override_thresholds(
        BlessingConfig.model_validate_json(blessing_config), thresholds, data.dataset.labels.ranking
    )
    version = find_newest_version(serving_dir) if pushed == NEWEST else pushed
    compared = version if rules.pushed else ""
    before = query_version(data, histories.uri, serving_dir, compared) if compared else None
    others = query_unchanged(data, histories.uri, serving_dir, beside) if beside else {}
    stages = TrainedStages(
        tf.saved_model.load(path_utils.serving_model_dir(query.uri)),
        tf.saved_model.load(ranking_dir),
        candidate_files.load(candidates.uri),
        retrieval_settings,
        ranking_settings,
    )
    measured = evaluate(
        data,
        stages,
        order,
        EvaluationConfig.model_validate_json(config),
        before.lists if before else None,
        {name: other.lists for name, other in others.items() if other.lists is not None},
    )
    for name, other in others.items():
        measured.setdefault(COMPARISONS, {}).setdefault(name, {}).update(other.described)
    decided = decide_blessing(measured, rules, before.described if before else None)
    _write(f"{evaluation_result.uri}/{METRICS}", measured | {"verdict": decided})
    evaluated = _describe_evaluation(data, order, retrieval_settings, ranking_settings, version)
    _write(f"{evaluation_result.uri}/{EVALUATED}", evaluated.model_dump())
    _write_verdict(verdict, list_failures(decided))


def _describe_evaluation(
    data: TrainingData, order: str, retrieval: RetrievalConfig, ranking: RankingConfig, version: str
) -> ModelEvaluation:
    return ModelEvaluation(
        order=order,
        history_length=retrieval.history_length,
        popularity_days=retrieval.popularity_days,
        ranking_candidates=ranking.candidates,
        learned_until=_find_last_event(data),
        judged_against=version,
    )


def _find_last_event(data: TrainingData) -> int:
    """The latest event of train and valid: test is nobody's to learn from."""
    return max(int(split.timestamps[split.own].max()) for split in (data.train, data.valid))


def _write(path: str, found: dict[str, Any]) -> None:
    """As JSON; a NaN is an error, not a word that JSON does not know."""
    text = json.dumps(found, indent=1, allow_nan=False)
    with fileio.open(path, "w") as file:
        file.write(text)


def _write_verdict(verdict: standard_artifacts.ModelBlessing, failures: list[str]) -> None:
    name = constants.NOT_BLESSED_FILE_NAME if failures else constants.BLESSED_FILE_NAME
    with fileio.open(f"{verdict.uri}/{name}", "w") as file:
        file.write("\n".join(failures))
    verdict.set_int_custom_property(
        constants.ARTIFACT_PROPERTY_BLESSED_KEY,
        constants.NOT_BLESSED_VALUE if failures else constants.BLESSED_VALUE,
    )
    verdict.set_string_custom_property("failures", "\n".join(failures))
