"""TFMA's metrics and plots of the ranking model, written as files that TFMA reads, and read back as
plain numbers by slice.

TFX's Evaluator cannot compute them. Its executor feeds the Examples of one artifact, unchanged, to
a signature of the model. The inputs of ranking are in no Example: candidates, their popularity and
the query's vector exist only after retrieval has run at the moment of the query. So
`trainer.evaluation.tfma_inputs` runs the model and TFMA measures the predictions: extraction is
ours, evaluation and writing are TFMA's. It needs no resolver either, which a self-hosted Kubeflow
does not run.

TFMA takes rows one by one through Python, about ten thousand a second. So the rows of a slice
travel together as one element with its slice key, as arrays, which its combiners process at once.
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
    """Adds to `pipeline` what writes TFMA's results of all heads below `uri`, for
    `tfma.load_eval_result(uri)`: its configuration alone where there is no head.
    """
    if not heads:
        writer = tfma.writers.EvalConfigWriter(uri, build_eval_config(heads))
        _ = {tfma.METRICS_KEY: pipeline | beam.Create([])} | tfma.WriteResults(writers=[writer])
        return
    evaluations = [_evaluate_rows(pipeline, heads, name) for name in heads]
    evaluations += [_evaluate_queries(pipeline, heads, name) for name in heads if heads[name].asked]
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
    """One dictionary a slice; keys hold the head's name, so no two are the same."""
    key, found = by_slice
    return key, {metric: value for one in found for metric, value in one.items()}


def build_row_extracts(name: str, rows: HeadRows) -> list[Extracts]:
    """One element a slice, the whole being one too."""
    found = []
    for key, chosen in iterate_slices(rows.slices, len(rows)):
        label, prediction = rows.label[chosen], rows.prediction[chosen]
        weight = np.ones(len(label), np.float32)
        if rows.kind == "relevance":
            label, prediction, weight = _group_alike(label, prediction)
        found.append(_build_extracts(name, label, prediction, weight, [key]))
    return found


def build_query_extracts(name: str, rows: HeadRows) -> list[Extracts]:
    """One element a question, with the slices that it is in: those of its user, not of items,
    since a list of which only some places count has no NDCG.
    """
    assert rows.asked is not None, "only a head that was asked about candidates has lists"
    starts = np.flatnonzero(np.diff(rows.asked.question, prepend=-1))
    keys: list[list[SliceKey]] = [[] for _ in starts]
    for key, chosen in iterate_slices(rows.asked.slices, len(starts)):
        for question in np.flatnonzero(chosen):
            keys[question].append(key)
    lists = zip(
        np.split(rows.label, starts[1:]), np.split(rows.prediction, starts[1:]), keys, strict=True
    )
    found = []
    for number, (label, prediction, slices) in enumerate(lists):
        kept = _select_counted(label, prediction)
        weight = np.ones(len(kept), np.float32)
        element = _build_extracts(name, label[kept], prediction[kept], weight, slices)
        features = {QUERY: np.array([str(number)]), GAIN: label[kept]}
        found.append(element | {tfma.FEATURES_KEY: features})
    return found


def _select_counted(label: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """Places of a list without which NDCG would differ: its head, and the answers, which make the
    ideal list.
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
    """One row for all of the same label in the same thousandth of probability, and how many they
    are: far fewer rows, and an AUC that differs by what a thousandth of a probability decides.
    """
    bucket = np.minimum(prediction * _AUC_BUCKETS, _AUC_BUCKETS - 1).astype(np.int64)
    kinds, count = np.unique(2 * bucket + (label > 0), return_counts=True)
    middle = (kinds // 2 + 0.5) / _AUC_BUCKETS
    return (kinds % 2).astype(np.float32), middle, count.astype(np.float32)


def read_analysis(uri: str) -> dict[str, AnalysisRow]:
    """`Overall` and `<feature>:<value>`: `<head>/<metric>` (`<head>/ndcg@10`) -> number.

    A metric that is undefined there (AUC of labels that are all alike, calibration where all are 0)
    is left out, and `note` names it; so it does where there is no row at all.
    """
    found = {
        _format_key(key): _read_row(heads)
        for key, heads in tfma.load_eval_result(uri).slicing_metrics
    }
    everything = found.pop(OVERALL, {"note": "no head has a row to be measured on"})
    return {OVERALL: everything} | dict(sorted(found.items()))


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
        row["note"] = f"not defined here, where labels are all alike: {', '.join(undefined)}"
    return row


def _is_undefined(name: str, values: dict[str, float]) -> bool:
    """TFMA calls most of what is undefined NaN or infinite, but an AUC without pairs 0."""
    head, metric = name.split("/")
    one_class = metric == "auc" and values[f"{head}/mean_label"] in (0.0, 1.0)
    return one_class or not math.isfinite(values[name])


def _format_cutoff(sub_key: str) -> str:
    """`@10` for TFMA's `topK:10`, nothing where a metric is of no part."""
    return f"@{sub_key.removeprefix('topK:')}" if sub_key else ""
