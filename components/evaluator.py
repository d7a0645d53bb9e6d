"""TFX component: evaluates both stages on the test split and decides whether to bless them."""

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
from serving.graph.list_order import create_array_order
from serving.versions.origin import ModelEvaluation, find_newest_version
from trainer.config.blessing import BlessingConfig, override_thresholds
from trainer.config.models import EvaluationConfig, RankingConfig, RetrievalConfig
from trainer.data.training_data import TrainingData
from trainer.evaluation.blessing import decide_blessing, list_failures
from trainer.evaluation.evaluate import evaluate
from trainer.evaluation.final_lists import FinalOrder
from trainer.evaluation.stage_quality import COMPARISONS
from trainer.evaluation.trained_stages import TrainedStages
from trainer.ranking.serving_order import read_serving_order

METRICS = "metrics.json"
EVALUATED = "evaluated.json"
NEWEST = "newest"
"""Value of `pushed` for the newest version at the time when the component runs."""


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
    baseline: Parameter[str],
) -> None:
    """Writes metrics.json with the verdict, evaluated.json (`ModelEvaluation`), and TFX's BLESSED
    or NOT_BLESSED with its property `blessed`.

    Args:
        timelines: Transformed timelines.
        timelines_graph: Transform graph of the timelines.
        items: Transformed catalogue.
        items_graph: Transform graph of the catalogue.
        query: Query model.
        candidates: Candidates of the query model.
        ranking: Ranking model.
        histories: Histories that InteractionsGen wrote.
        evaluation_result: Receives metrics.json and evaluated.json.
        verdict: Receives BLESSED or NOT_BLESSED.
        dataset: JSON of `schema.dataset.Dataset`.
        retrieval_config: JSON of RetrievalConfig.
        ranking_config: JSON of RankingConfig.
        config: JSON of EvaluationConfig.
        blessing_config: JSON of BlessingConfig without `thresholds`.
        thresholds: JSON of the thresholds.
        serving_dir: Folder or URL of the pushed versions.
        pushed: Version that the models must not be worse than: a number, `newest`, or "" for none.
        baseline: Version to compare with that does not affect the verdict, a number or "" for none:
            it shows the quality that the run would have without any training since that version.
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
    others = query_unchanged(data, histories.uri, serving_dir, baseline) if baseline else {}
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
        FinalOrder(
            order,
            data.dataset.recommend.diversity,
            create_array_order(stages.candidates, data.dataset.recommend.calibration),
        ),
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
        ranking_candidates=ranking.candidates,
        learned_until=_find_last_event(data),
        judged_against=version,
        repeats=data.repeats,
        diversity=data.dataset.recommend.diversity,
        calibration=data.dataset.recommend.calibration,
    )


def _find_last_event(data: TrainingData) -> int:
    """Time of the latest event of train and valid, in seconds since epoch, UTC; no model learns
    from test.
    """
    return max(int(split.timestamps[split.own].max()) for split in (data.train, data.valid))


def _write(path: str, metrics: dict[str, Any]) -> None:
    """Writes JSON; a NaN raises ValueError, because standard JSON has no NaN."""
    text = json.dumps(metrics, indent=1, allow_nan=False)
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
