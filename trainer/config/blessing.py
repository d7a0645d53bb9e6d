"""The rules that models must pass before they are pushed."""

from collections.abc import Collection, Mapping
from typing import Literal

from pydantic import TypeAdapter, model_validator

from schema.base import StrictModel
from schema.labels import FINAL, RankingLabel
from schema.signatures import RETRIEVAL
from trainer.config.metric_names import PER_USER

ComparedMetric = Literal["recall@10", "ndcg@10", "recall@100"]
"""Metrics in which lists are compared user by user."""

Baseline = Literal[
    "all",
    "popular",
    "recent",
    "item_neighbours",
    "item_transitions",
    "personal_frequency",
    "als",
    "bpr",
    "retrieval",
]
ALL: Baseline = "all"
"""Stands for every baseline of the run."""
RECENT: Baseline = "recent"
"""Name of the baseline that exists only for events with times."""
PERSONAL: Baseline = "personal_frequency"
"""Name of the baseline that exists only where items of the history may be recommended."""

_LIST_METRICS = (
    *PER_USER, "coverage@10", "novelty@10", "diversity@10", "head_share@10", "gini@10",
)  # fmt: skip
_LABEL_METRICS = {
    "regression": ("rmse", "mae"),
    "binary": ("rmse", "log_loss", "expected_calibration_error"),
}


class ThresholdRule(StrictModel):
    """A bound of one metric. A metric that could not be measured breaks the rule."""

    target: str = FINAL
    """`retrieval`, `final` (the served lists) or a ranking label."""
    metric: str
    """For lists, a name under `retrieval` in summary.json, such as `ndcg@10` or `coverage@10`. For
    a label of kind `regression`, `rmse` or `mae`; for a `binary` one, `rmse`, `log_loss` or
    `expected_calibration_error`."""
    at_least: float | None = None
    """Smallest value that is blessed."""
    at_most: float | None = None
    """Largest value that is blessed."""

    @model_validator(mode="after")
    def _check_bounds(self) -> "ThresholdRule":
        if self.at_least is None and self.at_most is None:
            raise ValueError(
                f"the threshold of {self.metric} expects at_least or at_most, received neither"
            )
        return self


THRESHOLDS = TypeAdapter(list[ThresholdRule])
"""Reads and writes a list of rules as one JSON text."""


class BaselineRule(StrictModel):
    """Lists that must not be worse than a baseline, user by user on the same queries. By default
    the final lists must not be worse than any baseline of the run in NDCG@10. The 95 % interval of
    the difference (paired bootstrap) decides: lists are worse only if the whole interval is below
    `margin`. With fewer than 50 users there is no such interval, and the means decide.
    """

    lists: Literal["retrieval", "final"] = FINAL
    """`retrieval`, or `final` (the served lists)."""
    baseline: Baseline = ALL
    """`all` baselines of the run, one rule for each, or one of them, or (for the final lists)
    retrieval's lists. `personal_frequency` exists unless `recommend.repeats` is `exclude`, `recent`
    if events have times, `als` and `bpr` if `evaluation.peers` has them."""
    metric: ComparedMetric = "ndcg@10"
    """The metric that is compared."""
    margin: float = 0.0
    """Smallest allowed difference, lists minus baseline, in the metric's units; a negative one
    allows a loss."""
    significant: bool = False
    """Whether the whole interval must be above the margin: the lists must be better, and not just
    no worse."""
    slices: bool = False
    """Whether lists that are worse in a slice of users (new users, warm users, each value of a
    declared category or set of users) fail too. If not, the run prints a warning. Of `all`
    baselines, the best one of each slice is compared."""

    @model_validator(mode="after")
    def _check_lists(self) -> "BaselineRule":
        if self.lists == self.baseline:
            raise ValueError(
                f"expected two kinds of lists to compare, received {self.lists} against itself; "
                f'set lists = "{FINAL}"'
            )
        return self


class BlessingConfig(StrictModel):
    """The rules that models must pass before they are pushed. A run whose models fail ends with
    exit code 4 and pushes nothing, unless it has `--force-push`.
    """

    thresholds: list[ThresholdRule] = []
    """Bounds of metrics."""
    baselines: list[BaselineRule] = [BaselineRule()]
    """Comparisons with baselines."""
    pushed: list[ComparedMetric] = ["ndcg@10", "recall@100"]
    """Metrics in which the final lists must not be worse than those of the currently pushed
    version, on the same queries; an empty list skips the comparison."""
    bias_baseline: bool = False
    """Whether a ranking label's RMSE must not be above that of the bias baseline."""


def override_thresholds(
    config: BlessingConfig, thresholds: str, labels: Mapping[str, RankingLabel]
) -> BlessingConfig:
    """`config` with other `thresholds`, a JSON text; raises ValueError for text that is no list of
    rules, and the errors of `check_thresholds`.
    """
    changed = config.replace_values(thresholds=THRESHOLDS.validate_json(thresholds))
    check_thresholds(changed, labels)
    return changed


def check_thresholds(config: BlessingConfig, labels: Mapping[str, RankingLabel]) -> None:
    """Raises ValueError for a threshold of an undeclared label, or of a metric that its target does
    not have.
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


def _check_metric(metric: str, measured: Collection[str], target: str) -> None:
    if metric not in measured:
        raise ValueError(
            f"blessing.thresholds of {target} expects metric = one of {', '.join(measured)}, "
            f"received {metric!r}"
        )
