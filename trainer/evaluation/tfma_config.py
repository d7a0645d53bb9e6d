"""TFMA's EvalConfig: metrics, plots and slices for each head of the ranking model."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow_model_analysis as tfma
from google.protobuf import wrappers_pb2

from trainer.evaluation.tfma_inputs import HeadRows

QUERY = "query"
GAIN = "gain"
NDCG_CUTOFF = 10
_PLOTTED_BUCKETS = 10
TfmaMetric = tuple[str, dict[str, Any]]
"""Class name and settings."""
_AUC: TfmaMetric = ("AUC", {})
_COUNT: TfmaMetric = ("ExampleCount", {})
_CALIBRATION: TfmaMetric = ("Calibration", {})
_MEAN: TfmaMetric = ("MeanLabel", {})


def build_eval_config(heads: Mapping[str, HeadRows]) -> tfma.EvalConfig:
    """All heads' metrics, plots and slices in one configuration; each head is a model output."""
    specs = [spec for name, rows in heads.items() for spec in _list_specs(name, rows)]
    return _build_config(heads, specs)


def build_row_config(heads: Mapping[str, HeadRows], name: str) -> tfma.EvalConfig:
    """The part of the configuration that is computed from a head's rows."""
    return _build_config(heads, _list_row_specs(name, heads[name]))


def build_query_config(heads: Mapping[str, HeadRows], name: str) -> tfma.EvalConfig:
    """The part of the configuration that is computed from whole candidate lists."""
    return _build_config(heads, [_build_query_spec(name)])


def _build_config(heads: Mapping[str, HeadRows], specs: list[tfma.MetricsSpec]) -> tfma.EvalConfig:
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


def _list_specs(name: str, rows: HeadRows) -> list[tfma.MetricsSpec]:
    return _list_row_specs(name, rows) + ([_build_query_spec(name)] if rows.queries else [])


def _list_row_specs(name: str, rows: HeadRows) -> list[tfma.MetricsSpec]:
    """Counts and AUC use the rows' weights, since a row can represent many equal ones; Keras'
    metrics do not support weights within an element.
    """
    if rows.kind == "relevance":
        return [_build_spec(name, [_COUNT, _MEAN, _AUC], weighted=True)]
    metrics = _list_binary_metrics() if rows.kind == "binary" else _list_regression_metrics(rows)
    return [_build_spec(name, [_COUNT], weighted=True), _build_spec(name, metrics, weighted=False)]


def _build_spec(name: str, metrics: list[TfmaMetric], weighted: bool) -> tfma.MetricsSpec:
    return tfma.MetricsSpec(
        output_names=[name],
        metrics=[_build_metric(*metric) for metric in metrics],
        example_weights=tfma.ExampleWeightOptions(weighted=weighted, unweighted=not weighted),
    )


def _build_query_spec(name: str) -> tfma.MetricsSpec:
    return tfma.MetricsSpec(
        output_names=[name],
        query_key=QUERY,
        metrics=[_build_metric("NDCG", {"gain_key": GAIN, "top_k_list": [NDCG_CUTOFF]})],
    )


def _list_binary_metrics() -> list[TfmaMetric]:
    """The mean squared error of a probability is the Brier score."""
    brier = ("MeanSquaredError", {"name": "brier_score"})
    plot = ("CalibrationPlot", {"num_buckets": _PLOTTED_BUCKETS})
    return [_MEAN, _AUC, _CALIBRATION, brier, ("BinaryCrossentropy", {}), plot]


def _list_regression_metrics(rows: HeadRows) -> list[TfmaMetric]:
    """TFMA's calibration is the mean prediction divided by the mean label."""
    values = np.concatenate([rows.label, rows.prediction])
    low, high = float(values.min()), float(values.max())
    metrics: list[TfmaMetric] = [
        _MEAN,
        ("RootMeanSquaredError", {}),
        ("MeanAbsoluteError", {}),
        _CALIBRATION,
    ]
    if high > low:
        edges = {"num_buckets": _PLOTTED_BUCKETS, "left": low, "right": high}
        metrics.append(("CalibrationPlot", edges))
    return metrics


def _build_metric(name: str, settings: dict[str, Any]) -> tfma.MetricConfig:
    return tfma.MetricConfig(class_name=name, config=json.dumps(settings) if settings else "")
