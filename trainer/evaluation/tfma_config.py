"""What TFMA is asked to compute of each head of the ranking model: its EvalConfig."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow_model_analysis as tfma
from google.protobuf import wrappers_pb2

from trainer.head_rows import HeadRows

QUERY = "query"
GAIN = "gain"
NDCG_AT = 10
_PLOTTED_BUCKETS = 10
Metric = tuple[str, dict[str, Any]]
"""Name of the class, and what it is made with."""
_AUC: Metric = ("AUC", {})
_COUNT: Metric = ("ExampleCount", {})
_CALIBRATION: Metric = ("Calibration", {})
_MEAN: Metric = ("MeanLabel", {})


def of(heads: Mapping[str, HeadRows]) -> tfma.EvalConfig:
    """All heads' metrics, plots and slices in one configuration, each head being an output of the
    model.
    """
    specs = [spec for name, rows in heads.items() for spec in _specs(name, rows)]
    return _config(heads, specs)


def of_rows(heads: Mapping[str, HeadRows], name: str) -> tfma.EvalConfig:
    """The part that is computed from a head's rows."""
    return _config(heads, _row_specs(name, heads[name]))


def of_questions(heads: Mapping[str, HeadRows], name: str) -> tfma.EvalConfig:
    """The part that is computed from whole lists of candidates."""
    return _config(heads, [_question_spec(name)])


def _config(heads: Mapping[str, HeadRows], specs: list[tfma.MetricsSpec]) -> tfma.EvalConfig:
    columns = sorted({feature for rows in heads.values() for feature in rows.slices})
    model = tfma.ModelSpec(
        label_keys={name: name for name in heads},
        prediction_keys={name: name for name in heads},
        example_weight_keys={name: name for name in heads},
    )
    no = wrappers_pb2.BoolValue(value=False)
    return tfma.EvalConfig(
        model_specs=[model],
        metrics_specs=specs,
        slicing_specs=[
            tfma.SlicingSpec(),
            *(tfma.SlicingSpec(feature_keys=[column]) for column in columns),
        ],
        options=tfma.Options(include_default_metrics=no),
    )


def _specs(name: str, rows: HeadRows) -> list[tfma.MetricsSpec]:
    return _row_specs(name, rows) + ([_question_spec(name)] if rows.asked else [])


def _row_specs(name: str, rows: HeadRows) -> list[tfma.MetricsSpec]:
    """Counts and AUC go by the rows' weights, one row standing for many that are alike; Keras'
    metrics take no weight inside an element.
    """
    if rows.kind == "relevance":
        return [_spec(name, [_COUNT, _MEAN, _AUC], weighted=True)]
    metrics = _of_binary() if rows.kind == "binary" else _of_regression(rows)
    return [_spec(name, [_COUNT], weighted=True), _spec(name, metrics, weighted=False)]


def _spec(name: str, metrics: list[Metric], weighted: bool) -> tfma.MetricsSpec:
    return tfma.MetricsSpec(
        output_names=[name],
        metrics=[_metric(*metric) for metric in metrics],
        example_weights=tfma.ExampleWeightOptions(weighted=weighted, unweighted=not weighted),
    )


def _question_spec(name: str) -> tfma.MetricsSpec:
    return tfma.MetricsSpec(
        output_names=[name],
        query_key=QUERY,
        metrics=[_metric("NDCG", {"gain_key": GAIN, "top_k_list": [NDCG_AT]})],
    )


def _of_binary() -> list[Metric]:
    """The mean squared error of a probability is the Brier score."""
    brier = ("MeanSquaredError", {"name": "brier_score"})
    plot = ("CalibrationPlot", {"num_buckets": _PLOTTED_BUCKETS})
    return [_MEAN, _AUC, _CALIBRATION, brier, ("BinaryCrossentropy", {}), plot]


def _of_regression(rows: HeadRows) -> list[Metric]:
    """TFMA's calibration is the mean prediction over the mean label."""
    values = np.concatenate([rows.label, rows.prediction])
    low, high = float(values.min()), float(values.max())
    found: list[Metric] = [
        _MEAN,
        ("RootMeanSquaredError", {}),
        ("MeanAbsoluteError", {}),
        _CALIBRATION,
    ]
    if high > low:
        edges = {"num_buckets": _PLOTTED_BUCKETS, "left": low, "right": high}
        found.append(("CalibrationPlot", edges))
    return found


def _metric(name: str, settings: dict[str, Any]) -> tfma.MetricConfig:
    return tfma.MetricConfig(class_name=name, config=json.dumps(settings) if settings else "")
