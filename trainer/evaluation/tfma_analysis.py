"""TFMA's metrics and plots of the ranking model, written in TFMA's file format, and read back as
numbers by slice.

TFX's Evaluator cannot compute them. Its executor passes the Examples of one artifact, unchanged, to
a signature of the model. The inputs of ranking are not in any Example: candidates, their popularity
and the query's vector exist only after retrieval has run at the moment of the query. So
`trainer.evaluation.tfma_inputs` runs the model and TFMA evaluates and writes the predictions. This
does not need a resolver either, which self-hosted Kubeflow does not run.

TFMA processes single rows in Python, about ten thousand per second. So all rows of a slice are one
element with its slice key, as arrays, which TFMA's combiners process at once.
"""

import math
from collections.abc import Mapping
from typing import Any

import apache_beam as beam
import numpy as np
import tensorflow_model_analysis as tfma

from trainer.evaluation.tfma_config import (
    GAIN,
    NDCG_CUTOFF,
    QUERY,
    build_eval_config,
    build_query_config,
    build_row_config,
)
from trainer.evaluation.tfma_inputs import HeadRows, SliceKey, iterate_slices

_AUC_BUCKETS = 1_000
Extracts = dict[str, Any]
Sliced = tuple[SliceKey, dict[Any, Any]]
OVERALL = "Overall"
AnalysisRow = dict[str, Any]


def add_analysis(pipeline: beam.Pipeline, heads: Mapping[str, HeadRows], uri: str) -> None:
    """Adds steps to `pipeline` that write TFMA's results of all heads below `uri`, for
    `tfma.load_eval_result(uri)`. Without heads, only the configuration is written.
    """
    if not heads:
        writer = tfma.writers.EvalConfigWriter(uri, build_eval_config(heads))
        _ = {tfma.METRICS_KEY: pipeline | beam.Create([])} | tfma.WriteResults(writers=[writer])
        return
    evaluations = [_evaluate_rows(pipeline, heads, name) for name in heads]
    evaluations += [
        _evaluate_queries(pipeline, heads, name) for name in heads if heads[name].queries
    ]
    joined = {
        key: [evaluation[key] for evaluation in evaluations]
        | f"All {key}" >> beam.Flatten()
        | f"By slice {key}" >> beam.GroupByKey()
        | f"Joined {key}" >> beam.Map(_merge_heads)
        for key in (tfma.METRICS_KEY, tfma.PLOTS_KEY)
    }
    writers = tfma.default_writers(uri, eval_config=build_eval_config(heads))
    _ = joined | tfma.WriteResults(writers=writers)


def _evaluate_rows(
    pipeline: beam.Pipeline, heads: Mapping[str, HeadRows], name: str
) -> dict[str, beam.PCollection]:
    elements = build_row_extracts(name, heads[name])
    return _evaluate(pipeline, name, elements, build_row_config(heads, name))


def _evaluate_queries(
    pipeline: beam.Pipeline, heads: Mapping[str, HeadRows], name: str
) -> dict[str, beam.PCollection]:
    elements = build_query_extracts(name, heads[name])
    config = build_query_config(heads, name)
    return _evaluate(pipeline, f"{name} by question", elements, config)


def _evaluate(
    pipeline: beam.Pipeline, stage: str, elements: list[Extracts], config: tfma.EvalConfig
) -> dict[str, beam.PCollection]:
    evaluator = tfma.evaluators.MetricsPlotsAndValidationsEvaluator(eval_config=config)
    return (
        pipeline
        | f"Rows of {stage}" >> beam.Create(elements)
        | f"Evaluate {stage}" >> evaluator.ptransform
    )


def _merge_heads(by_slice: tuple[SliceKey, Any]) -> Sliced:
    """One dictionary per slice; metric keys contain the head's name, so they are distinct."""
    key, by_head = by_slice
    return key, {metric: value for one in by_head for metric, value in one.items()}


def build_row_extracts(name: str, rows: HeadRows) -> list[Extracts]:
    """One element per slice, including the slice of all rows."""
    extracts = []
    for key, chosen in iterate_slices(rows.slices, len(rows)):
        label, prediction = rows.label[chosen], rows.prediction[chosen]
        weight = np.ones(len(label), np.float32)
        if rows.kind == "relevance":
            label, prediction, weight = _group_alike(label, prediction)
        extracts.append(_build_extracts(name, label, prediction, weight, [key]))
    return extracts


def build_query_extracts(name: str, rows: HeadRows) -> list[Extracts]:
    """One element per query with its slices: those of its user, not of items, since NDCG needs
    whole lists.
    """
    assert rows.queries is not None, "only a head with candidate lists has queries"
    starts = np.flatnonzero(np.diff(rows.queries.query, prepend=-1))
    keys: list[list[SliceKey]] = [[] for _ in starts]
    for key, chosen in iterate_slices(rows.queries.slices, len(starts)):
        for question in np.flatnonzero(chosen):
            keys[question].append(key)
    lists = zip(
        np.split(rows.label, starts[1:]), np.split(rows.prediction, starts[1:]), keys, strict=True
    )
    extracts = []
    for number, (label, prediction, slices) in enumerate(lists):
        counted = _select_counted(label, prediction)
        weight = np.ones(len(counted), np.float32)
        element = _build_extracts(name, label[counted], prediction[counted], weight, slices)
        features = {QUERY: np.array([str(number)]), GAIN: label[counted]}
        extracts.append(element | {tfma.FEATURES_KEY: features})
    return extracts


def _select_counted(label: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """Positions of a list that affect NDCG: its head, and the relevant items, which form the ideal
    list.
    """
    order = np.argsort(-prediction, kind="stable")
    return np.union1d(order[:NDCG_CUTOFF], np.flatnonzero(label > 0))


def _build_extracts(
    name: str,
    label: np.ndarray,
    prediction: np.ndarray,
    weight: np.ndarray,
    slices: list[SliceKey],
) -> Extracts:
    return {
        tfma.LABELS_KEY: {name: label},
        tfma.PREDICTIONS_KEY: {name: prediction},
        tfma.EXAMPLE_WEIGHTS_KEY: {name: weight},
        tfma.SLICE_KEY_TYPES_KEY: slices,
    }


def _group_alike(
    label: np.ndarray, prediction: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One row for all rows with the same label and the same probability bucket of width 0.001, and
    their number: far fewer rows, for an AUC with that resolution.
    """
    bucket = np.minimum(prediction * _AUC_BUCKETS, _AUC_BUCKETS - 1).astype(np.int64)
    kinds, count = np.unique(2 * bucket + (label > 0), return_counts=True)
    middle = (kinds // 2 + 0.5) / _AUC_BUCKETS
    return (kinds % 2).astype(np.float32), middle, count.astype(np.float32)


def read_analysis(uri: str) -> dict[str, AnalysisRow]:
    """`Overall` or `<feature>:<value>` -> `<head>/<metric>` (`<head>/ndcg@10`) -> number.

    A metric that is undefined in a slice (AUC of labels that are all equal, calibration where all
    are 0) is omitted and named in `note`. Without any row, `Overall` has only a `note`.
    """
    rows = {
        _format_key(key): _read_row(heads)
        for key, heads in tfma.load_eval_result(uri).slicing_metrics
    }
    overall = rows.pop(OVERALL, {"note": "no head has a row to be measured on"})
    return {OVERALL: overall} | dict(sorted(rows.items()))


def _format_key(key: tuple[tuple[str, Any], ...]) -> str:
    return ", ".join(f"{feature}:{value}" for feature, value in key) or OVERALL


def _read_row(heads: dict[str, dict[str, dict[str, Any]]]) -> AnalysisRow:
    values = {
        f"{head}/{metric}{_format_cutoff(sub_key)}": float(value["doubleValue"])
        for head, by_sub_key in heads.items()
        for sub_key, metrics in by_sub_key.items()
        for metric, value in metrics.items()
    }
    undefined = sorted(name for name in values if _is_undefined(name, values))
    row: AnalysisRow = {name: values[name] for name in sorted(set(values) - set(undefined))}
    if undefined:
        row["note"] = f"undefined here, because all labels are equal: {', '.join(undefined)}"
    return row


def _is_undefined(name: str, values: dict[str, float]) -> bool:
    """TFMA reports most undefined metrics as NaN or infinite, but an AUC without pairs as 0."""
    head, metric = name.split("/")
    one_class = metric == "auc" and values[f"{head}/mean_label"] in (0.0, 1.0)
    return one_class or not math.isfinite(values[name])


def _format_cutoff(sub_key: str) -> str:
    """`@10` for TFMA's `topK:10`; empty for a metric without sub-key."""
    return f"@{sub_key.removeprefix('topK:')}" if sub_key else ""
