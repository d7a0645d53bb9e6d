"""How far off the label heads are, on the test events that have the label."""

from collections.abc import Callable
from typing import Any

import numpy as np

from schema.dataset import RankingLabel
from trainer import calibration_error
from trainer.config.models import RetrievalConfig
from trainer.data.training_data import TrainingData
from trainer.metrics import top_k as ranked_lists
from trainer.ranking import bias_baseline
from trainer.ranking import examples as ranking_examples
from trainer.ranking import labels as label_values
from trainer.ranking import rerank as two_stages
from trainer.ranking.examples import RankingExamples
from trainer.ranking.inputs import Moments, encoder

Errors = dict[str, Any]
_LEAST = 1e-7  # what a probability is kept away from 0 and 1 by, for its logarithm
_ROWS = 4096


def measure(
    data: TrainingData, query: Any, ranking: Any, vectors: np.ndarray, config: RetrievalConfig
) -> dict[str, Errors]:
    """By declared label: `kind`, `events` (own test events, positive or not, on known items, that
    have it) and its errors beside the bias baseline's on the same events, or a `note` that says in
    words why there are none.

    `query` and `ranking` are loaded SavedModels, `vectors` [n + 1, dim] the items'.
    """
    examples = ranking_examples.labelled(data.test, at_test(data, query, vectors, config))
    predicted = scored(ranking.score, examples)
    before = scored(ranking.uncalibrated, examples)
    return {
        name: _of_label(data, name, label, examples, predicted, before)
        for name, label in data.dataset.labels.ranking.items()
    }


def at_test(
    data: TrainingData, query: Any, vectors: np.ndarray, config: RetrievalConfig
) -> Moments:
    """What may be known at the events of test: histories up to each, popularity up to the cut."""
    return Moments(
        encoder(query),
        vectors,
        data.clock(data.train, data.valid),
        config,
        popular_at=data.moment(data.test),
        has_clock=data.has_clock,
    )


def scored(function: Callable[..., Any], examples: RankingExamples) -> dict[str, np.ndarray]:
    """Head -> [m] of the item that was taken, from a function of a ranking module; no head where
    there is no example.
    """
    score, inputs = two_stages.of_function(function), examples.inputs()
    parts = [
        score({name: values[part] for name, values in inputs.items()})
        for part in ranked_lists.slices(len(examples), _ROWS)
    ]
    return (
        {name: np.concatenate([p[name][:, 0] for p in parts]) for name in parts[0]} if parts else {}
    )


def _of_label(
    data: TrainingData,
    name: str,
    label: RankingLabel,
    examples: RankingExamples,
    predicted: dict[str, np.ndarray],
    before: dict[str, np.ndarray],
) -> Errors:
    known = ~np.isnan(examples.labels[name])
    found = {"kind": label.kind, "events": int(known.sum())}
    obstacle = label_values.obstacle(data, name)
    if obstacle is not None:
        return found | {"note": obstacle}
    truth = label_values.target(examples.labels[name][known].astype(np.float64), label)
    user, item = examples.query["user_index"][known], examples.candidates[known, 0]
    baseline = bias_baseline.of_training(data, name, label).predict(user, item)
    ours = predicted[name][known].astype(np.float64)
    if label.kind == "regression":
        return found | _of_numbers(ours, baseline, truth)
    return found | _of_probabilities(ours, before[name][known], baseline, truth)


def _of_numbers(predicted: np.ndarray, baseline: np.ndarray, truth: np.ndarray) -> Errors:
    return {
        "rmse": rmse(predicted, truth),
        "mae": mae(predicted, truth),
        "bias_baseline_rmse": rmse(baseline, truth),
        "bias_baseline_mae": mae(baseline, truth),
    }


def _of_probabilities(
    predicted: np.ndarray, uncalibrated: np.ndarray, baseline: np.ndarray, truth: np.ndarray
) -> Errors:
    bins = calibration_error.reliability(predicted, truth)
    before = calibration_error.reliability(uncalibrated, truth)
    return {
        "rmse": rmse(predicted, truth),
        "bias_baseline_rmse": rmse(baseline, truth),
        "log_loss": log_loss(predicted, truth),
        "expected_calibration_error": calibration_error.expected_calibration_error(bins),
        "uncalibrated_expected_calibration_error": calibration_error.expected_calibration_error(
            before
        ),
        "reliability": bins,
    }


def rmse(predicted: np.ndarray, truth: np.ndarray) -> float:
    """[e] twice -> square root of the mean squared difference (of a probability: of the Brier
    score).
    """
    return float(np.sqrt(np.mean((predicted - truth) ** 2)))


def mae(predicted: np.ndarray, truth: np.ndarray) -> float:
    """[e] twice -> mean of the absolute differences."""
    return float(np.mean(np.abs(predicted - truth)))


def log_loss(predicted: np.ndarray, truth: np.ndarray) -> float:
    """[e] probabilities and outcomes -> mean negative log likelihood, in nats."""
    kept = np.clip(predicted, _LEAST, 1 - _LEAST)
    return float(-np.mean(truth * np.log(kept) + (1 - truth) * np.log1p(-kept)))
