"""TFMA's results as plain numbers by slice, for JSON: what it leaves undefined is said in words."""

import math
from typing import Any

import tensorflow_model_analysis as tfma

OVERALL = "Overall"
Row = dict[str, Any]


def read(uri: str) -> dict[str, Row]:
    """`Overall` and `<feature>:<value>`: `<head>/<metric>` (`<head>/ndcg@10`) -> number.

    A metric that is undefined there (AUC of labels that are all alike, calibration where all are 0)
    is left out, and `note` names it; so it does where there is no row at all.
    """
    found = {_name(key): _row(heads) for key, heads in tfma.load_eval_result(uri).slicing_metrics}
    everything = found.pop(OVERALL, {"note": "no head has a row to be measured on"})
    return {OVERALL: everything} | dict(sorted(found.items()))


def _name(key: tuple[tuple[str, Any], ...]) -> str:
    return ", ".join(f"{feature}:{value}" for feature, value in key) or OVERALL


def _row(heads: dict[str, dict[str, dict[str, Any]]]) -> Row:
    values = {
        f"{head}/{metric}{_at(sub_key)}": float(value["doubleValue"])
        for head, by_sub_key in heads.items()
        for sub_key, metrics in by_sub_key.items()
        for metric, value in metrics.items()
    }
    undefined = sorted(name for name in values if _is_undefined(name, values))
    row: Row = {name: values[name] for name in sorted(set(values) - set(undefined))}
    if undefined:
        row["note"] = f"not defined here, where labels are all alike: {', '.join(undefined)}"
    return row


def _is_undefined(name: str, values: dict[str, float]) -> bool:
    """TFMA calls most of what is undefined NaN or infinite, but an AUC without pairs 0."""
    head, metric = name.split("/")
    one_class = metric == "auc" and values[f"{head}/mean_label"] in (0.0, 1.0)
    return one_class or not math.isfinite(values[name])


def _at(sub_key: str) -> str:
    """`@10` for TFMA's `topK:10`, nothing where a metric is of no part."""
    return f"@{sub_key.removeprefix('topK:')}" if sub_key else ""
