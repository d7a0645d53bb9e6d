"""The rules that models must pass before they are pushed."""

from collections.abc import Collection, Mapping
from typing import Literal

from pydantic import TypeAdapter, model_validator

from schema.base import StrictModel
from schema.dataset import FINAL, RankingLabel
from schema.signatures import RETRIEVAL
from trainer.config.metric_names import PER_USER

ComparedMetric = Literal["recall@10", "ndcg@10", "recall@100"]
"""Metrics that lists are compared in, user by user."""

_LIST_METRICS = (
    *PER_USER, "coverage@10", "novelty@10", "diversity@10", "head_share@10", "gini@10",
)  # fmt: skip
_LABEL_METRICS = {
    "regression": ("rmse", "mae"),
    "binary": ("rmse", "log_loss", "expected_calibration_error"),
}


class ThresholdRule(StrictModel):
    """A metric that must reach a number, or must not pass it. One that could not be measured has
    not.
    """

    target: str = FINAL
    """`retrieval`, `final` (the lists as they are served) or a ranking label."""
    metric: str
    """Of lists: a name under `retrieval` in summary.json, such as `ndcg@10` or `coverage@10`. Of a
    label: `rmse`, `mae`, `log_loss` or `expected_calibration_error`."""
    at_least: float | None = None
    """Not blessed below this."""
    at_most: float | None = None
    """Not blessed above this."""

    @model_validator(mode="after")
    def _has_a_bound(self) -> "ThresholdRule":
        if self.at_least is None and self.at_most is None:
            raise ValueError(
                f"the threshold of {self.metric} expects at_least or at_most, received neither"
            )
        return self


THRESHOLDS = TypeAdapter(list[ThresholdRule])
"""Reads and writes them as one JSON text."""


class BaselineRule(StrictModel):
    """Lists that must not be worse than others, user by user on the same queries. By default
    the final lists must not be worse than `popular` in NDCG@10. The 95 % interval of the
    difference (paired bootstrap) decides: a difference inside it is neither worse nor better.
    With fewer than 50 users there is no such interval, and the means decide.
    """

    lists: Literal["retrieval", "final"] = FINAL
    """`retrieval`, or `final`: the lists as they are served."""
    baseline: Literal["popular", "recent", "item_neighbours", "retrieval"] = "popular"
    """A baseline of every run, or (of the final lists) retrieval's own lists."""
    metric: ComparedMetric = "ndcg@10"
    """What they are compared in."""
    margin: float = 0.0
    """Least difference, ours minus theirs, in the metric's own units; below 0 it allows a loss."""
    significant: bool = False
    """Whether the difference must be above the margin with its whole interval: better, and not
    merely no worse."""

    @model_validator(mode="after")
    def _compares_two(self) -> "BaselineRule":
        if self.lists == self.baseline:
            raise ValueError(
                f"expected two kinds of lists to compare, received {self.lists} against itself; "
                f'set lists = "{FINAL}"'
            )
        return self


class BlessingConfig(StrictModel):
    """What is held against the models before they are pushed. A run whose models fail ends with
    exit code 4 and pushes nothing, unless it is told `--force-push`.
    """

    thresholds: list[ThresholdRule] = []
    """Numbers to reach."""
    baselines: list[BaselineRule] = [BaselineRule()]
    """Lists to beat."""
    pushed: list[ComparedMetric] = ["ndcg@10", "recall@100"]
    """Metrics in which the final lists must not be worse than those of the model that is pushed
    now, which is evaluated on the same queries; an empty list leaves this out."""
    bias_baseline: bool = False
    """Not blessed where a ranking label's RMSE is above that of the bias baseline."""


def override_thresholds(
    config: BlessingConfig, thresholds: str, labels: Mapping[str, RankingLabel]
) -> BlessingConfig:
    """The same with other thresholds, which are JSON; raises ValueError for text that is none, and
    as `check_thresholds` does.
    """
    changed = config.changed(thresholds=THRESHOLDS.validate_json(thresholds))
    check_thresholds(changed, labels)
    return changed


def check_thresholds(config: BlessingConfig, labels: Mapping[str, RankingLabel]) -> None:
    """Raises ValueError for a threshold of a label that is not declared, or of a metric that no run
    measures.
    """
    for rule in config.thresholds:
        if rule.target in (RETRIEVAL, FINAL):
            _check_metric(rule.metric, _LIST_METRICS, rule.target)
        elif rule.target in labels:
            _check_metric(
                rule.metric, _LABEL_METRICS[labels[rule.target].kind], f"label {rule.target}"
            )
        else:
            raise ValueError(
                "blessing.thresholds expects target = one of "
                f"{', '.join((RETRIEVAL, FINAL, *labels))}, received {rule.target!r}; declare "
                "the label in labels.ranking or name another"
            )


def _check_metric(metric: str, measured: Collection[str], of: str) -> None:
    if metric not in measured:
        raise ValueError(
            f"blessing.thresholds of {of} expects metric = one of {', '.join(measured)}, "
            f"received {metric!r}"
        )
