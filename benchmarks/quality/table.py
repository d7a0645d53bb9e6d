"""The results as Markdown tables, as in the documentation."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from benchmarks.quality.referee import METRICS

Spread = dict[str, float]
_NAMES = {
    "recall@10": "Recall@10",
    "ndcg@10": "NDCG@10",
    "recall@100": "Recall@100",
    "coverage@10": "coverage@10",
    "new_items_recall@100": "new-item recall@100",
    "valid_ndcg@10": "NDCG@10 on valid",
}


def text(result: dict[str, Any]) -> str:
    """Formats the result of `quality.summary`."""
    seeds = ", ".join(map(str, result["seeds"]))
    lines = [f"{result['data']}, test split, seeds {seeds}: mean (least–greatest)", ""]
    lines += [*_methods(result), ""]
    if result["groups"]:
        lines += [*_groups(result["groups"]), ""]
    lines += _format_targets(result)
    difference = abs(result["evaluator_minus_referee"])
    lines += [
        *_format_decisions(result["decisions"]),
        f"the pipeline's evaluator and the referee differ by {difference:.1e} at most",
    ]
    if "ablation" in result:
        lines += ["", *_ablation(result["ablation"])]
    return "\n".join(lines)


def _methods(result: dict[str, Any]) -> list[str]:
    rows = [
        *((name, "", values) for name, values in result["baselines"].items()),
        *((peer["method"], peer["source"], peer["metrics"]) for peer in result["published"]),
    ]
    table = [[name, *(_plain(values.get(m)) for m in METRICS), source or "this run"]
             for name, source, values in rows]  # fmt: skip
    table += [
        [f"**Tandem, {stage}**", *(_spread(values.get(m)) for m in METRICS), "this run"]
        for stage, values in result["measured"].items()
    ]
    return _markdown(["", *(_NAMES[name] for name in METRICS), "source"], table)


def _groups(groups: dict[str, dict[str, Spread]]) -> list[str]:
    rows = [
        [name, _spread(of["ndcg@10"]), _plain(of["ndcg@10"]["deviation"]),
         _spread(of["above_popularity"])]
        for name, of in groups.items()
    ]  # fmt: skip
    head = ["final lists", "NDCG@10", "standard deviation", "above popular, last 7 days"]
    return _markdown(head, rows)


def _format_decisions(decisions: dict[str, Any]) -> Iterable[str]:
    for one in decisions["by_seed"]:
        yield (
            f"seed {one['seed']}: {one['served']}'s order is served; ranking gains "
            f"{one['gain_on_valid']:+.4f} NDCG@10 on valid and {one['gain_on_test']:+.4f} on test"
        )
    yield (
        f"decisions that were right: {decisions['right']} of {len(decisions['by_seed'])}; cost in "
        f"NDCG@10: {_plain(decisions['mean_cost'])} on average, "
        f"{_plain(decisions['mean_cost_of_wrong'])} where wrong"
    )


def _format_targets(result: dict[str, Any]) -> Iterable[str]:
    for stage, verdicts in result["targets"].items():
        for name, verdict in verdicts.items():
            message = "met" if verdict["met"] else "NOT met"
            yield (
                f"{stage}: {_NAMES[name]} >= {_plain(verdict['target'])} {message}: "
                f"{_plain(verdict['mean']) or 'not measured'}"
            )


def _ablation(rows: Sequence[dict[str, Any]]) -> list[str]:
    names = ["valid_ndcg@10", *METRICS]
    table = [[row["name"], *(_spread(row["measured"].get(n)) for n in names)] for row in rows]
    return _markdown(["retrieval", *(_NAMES[name] for name in names)], table)


def _markdown(head: list[str], rows: list[list[str]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in [head, ["---"] * len(head), *rows]]


def _spread(of: Spread | None) -> str:
    """Mean, minimum and maximum; only the mean if all are equal."""
    if of is None:
        return ""
    mean = _plain(of["mean"])
    return mean if of["min"] == of["max"] else f"{mean} ({_plain(of['min'])}–{_plain(of['max'])})"


def _plain(value: float | None) -> str:
    return "" if value is None else re.sub(r"^(-?)0\.", r"\1.", f"{value:.4f}")
