"""Errors of the label heads on the test events that have the label."""

from collections.abc import Callable
from typing import Any

import numpy as np

from schema.labels import RankingLabel
from trainer.config.models import RetrievalConfig
from trainer.data.training_data import TrainingData
from trainer.metrics.calibration import compute_calibration_error, compute_reliability
from trainer.metrics.top_k import iterate_blocks
from trainer.ranking.bias_baseline import fit_label_baseline
from trainer.ranking.examples import RankingExamples, build_labelled_examples
from trainer.ranking.inputs import RetrievalState, create_encoder
from trainer.ranking.labels import compute_target, find_obstacle
from trainer.ranking.rerank import wrap_function

LabelErrors = dict[str, Any]
_MIN_PROBABILITY = 1e-7  # probabilities are clipped by it, to keep logarithms finite
_ROWS = 4096


def measure_label_errors(
    data: TrainingData, query: Any, ranking: Any, vectors: np.ndarray, config: RetrievalConfig
) -> dict[str, LabelErrors]:
    """Errors of each declared label's head and of the bias baseline on the same events.

    Args:
        data: all three splits.
        query: the loaded query model.
        ranking: the loaded ranking model.
        vectors: [n + 1, dim + 1] item vectors of the query model, with popularity as of the cut.
        config: retrieval's configuration.

    Returns:
        Label -> `kind`, `events` (own test events on known items, positive or not, that have the
        label) and the errors, or a `note` with the reason why there are none.
    """
    examples = build_labelled_examples(data.test, build_test_state(data, query, vectors, config))
    predicted = score_examples(ranking.score, examples)
    before = score_examples(ranking.uncalibrated, examples)
    return {
        name: _measure_label(data, name, label, examples, predicted, before)
        for name, label in data.dataset.labels.ranking.items()
    }


def build_test_state(
    data: TrainingData, query: Any, vectors: np.ndarray, config: RetrievalConfig
) -> RetrievalState:
    """The state for events of test: histories up to each event, popularity up to the cut.

    Args:
        data: all three splits.
        query: the loaded query model.
        vectors: [n + 1, dim + 1] item vectors of the query model, with popularity as of the cut.
        config: retrieval's configuration.
    """
    return RetrievalState(
        create_encoder(query),
        vectors[:, :-1],
        lambda _: vectors[:, -1],
        config,
        popular_at=data.moment(data.test),
        has_clock=data.has_clock,
    )


def score_examples(
    function: Callable[..., Any], examples: RankingExamples
) -> dict[str, np.ndarray]:
    """Head -> [m] prediction for each event's own item by a function of a ranking module; {}
    without examples.
    """
    score, inputs = wrap_function(function), examples.inputs()
    parts = [
        score({name: values[part] for name, values in inputs.items()})
        for part in iterate_blocks(len(examples), _ROWS)
    ]
    return (
        {name: np.concatenate([p[name][:, 0] for p in parts]) for name in parts[0]} if parts else {}
    )


def _measure_label(
    data: TrainingData,
    name: str,
    label: RankingLabel,
    examples: RankingExamples,
    predicted: dict[str, np.ndarray],
    before: dict[str, np.ndarray],
) -> LabelErrors:
    known = ~np.isnan(examples.labels[name])
    counts = {"kind": label.kind, "events": int(known.sum())}
    obstacle = find_obstacle(data, name)
    if obstacle is not None:
        return counts | {"note": obstacle}
    truth = compute_target(examples.labels[name][known].astype(np.float64), label)
    user, item = examples.query["user_index"][known], examples.candidates[known, 0]
    baseline = fit_label_baseline(data, name, label).predict(user, item)
    ours = predicted[name][known].astype(np.float64)
    if label.kind == "regression":
        return counts | _measure_regression(ours, baseline, truth)
    return counts | _measure_binary(ours, before[name][known], baseline, truth)


def _measure_regression(
    predicted: np.ndarray, baseline: np.ndarray, truth: np.ndarray
) -> LabelErrors:
    return {
        "rmse": compute_rmse(predicted, truth),
        "mae": compute_mae(predicted, truth),
        "bias_baseline_rmse": compute_rmse(baseline, truth),
        "bias_baseline_mae": compute_mae(baseline, truth),
    }


def _measure_binary(
    predicted: np.ndarray, uncalibrated: np.ndarray, baseline: np.ndarray, truth: np.ndarray
) -> LabelErrors:
    bins = compute_reliability(predicted, truth)
    before = compute_reliability(uncalibrated, truth)
    return {
        "rmse": compute_rmse(predicted, truth),
        "bias_baseline_rmse": compute_rmse(baseline, truth),
        "log_loss": compute_log_loss(predicted, truth),
        "expected_calibration_error": compute_calibration_error(bins),
        "uncalibrated_expected_calibration_error": compute_calibration_error(before),
        "reliability": bins,
    }


def compute_rmse(predicted: np.ndarray, truth: np.ndarray) -> float:
    """[e] and [e] -> root of the mean squared difference; for probabilities, of the Brier score."""
    return float(np.sqrt(np.mean((predicted - truth) ** 2)))


def compute_mae(predicted: np.ndarray, truth: np.ndarray) -> float:
    """[e] and [e] -> mean of the absolute differences."""
    return float(np.mean(np.abs(predicted - truth)))


def compute_log_loss(predicted: np.ndarray, truth: np.ndarray) -> float:
    """[e] probabilities and outcomes -> mean negative log likelihood, in nats."""
    clipped = np.clip(predicted, _MIN_PROBABILITY, 1 - _MIN_PROBABILITY)
    return float(-np.mean(truth * np.log(clipped) + (1 - truth) * np.log1p(-clipped)))
