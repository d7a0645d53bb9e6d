"""The evaluation's part of summary.json: metrics of lists, label errors, fairness and the verdict.

Fields have the names of the JSON's keys. Metrics of lists are additional keys (`ndcg@10`).
"""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from schema.signatures import RANKING


class SummaryModel(BaseModel):
    """The base of all parts of the summary."""

    model_config = ConfigDict(extra="allow", frozen=True, populate_by_name=True)

    def to_json(self) -> dict[str, Any]:
        """The JSON object, with exactly the keys that were set."""
        return self.model_dump(by_alias=True, exclude_unset=True)


class Bounds(SummaryModel):
    """A 95 % interval; None if there is none."""

    low: float | None = None
    high: float | None = None


class MetricInterval(SummaryModel):
    """A value with its 95 % interval."""

    value: float
    low: float
    high: float


class MetricDifference(MetricInterval):
    """A paired difference over `users`, and the conclusion from the interval."""

    users: int
    verdict: str


ListComparisons = dict[str, dict[str, MetricDifference]]
"""By the other lists' name: metric -> difference."""


class ListMetrics(SummaryModel):
    """Metrics of lists, as additional keys with the metrics' names (`ndcg@10`)."""

    __pydantic_extra__: dict[str, float] = Field(init=False)
    intervals: dict[str, Bounds] = {}

    @property
    def metrics(self) -> dict[str, float]:
        """Value by metric."""
        return self.__pydantic_extra__ or {}


class VersionMetrics(ListMetrics):
    """A pushed version: its lists' metrics, or in `failure` why it could not be queried."""

    version: int
    path: str
    note: str | None = None
    failure: str | None = None


class SliceMetrics(SummaryModel):
    """A slice of users or relevant items: its counts, and each metric under its name."""

    __pydantic_extra__: dict[str, MetricInterval] = Field(init=False)
    users: int
    answers: int | None = None
    note: str | None = None

    @property
    def metrics(self) -> dict[str, MetricInterval]:
        """Value and interval by metric."""
        return self.__pydantic_extra__ or {}


class PropensitySummary(SummaryModel):
    """The inverse exposure propensities of the `relevant` items by which `snips_` metrics are
    weighted.
    """

    impressions: int
    """Impressions before test, from which propensities are estimated."""
    clip: float
    """The greatest weight; that of the relevant item with the median propensity is 1."""
    relevant: int
    """Relevant items, once for each user."""
    clipped: int
    """Relevant items with the greatest weight."""
    never_shown: int
    """Relevant items that no impression before test shows."""
    effective_users: float
    """The number of equally weighted users with the same variance of the mean."""


class SliceDifference(MetricInterval):
    """A paired difference in a slice, with its standard error."""

    standard_error: float


class SliceComparison(SummaryModel):
    """A slice of users compared with other lists by name and metric, or in `note` why not."""

    users: int
    note: str | None = None
    against: dict[str, dict[str, SliceDifference]] = {}


SliceComparisons = dict[str, dict[str, SliceComparison]]
"""By dimension and slice."""


class RetrievalSummary(ListMetrics):
    """Retrieval's lists on test, the baselines', and how retrieval was trained."""

    users: int
    note: str | None = None
    baselines: dict[str, ListMetrics]
    against: ListComparisons = {}
    slices: dict[str, dict[str, SliceMetrics]] = {}
    propensities: PropensitySummary | None = None
    """None for a log without impressions."""
    slice_differences: SliceComparisons = {}
    ceiling: dict[str, float] = {}
    """Best value that any method could reach, by metric; of simulated data only."""
    training: dict[str, float] = {}
    warm_start: dict[str, Any] | None = None

    @property
    def best_baseline(self) -> str:
        """Name of the baseline with the highest NDCG@10."""
        return max(self.baselines, key=lambda name: self.baselines[name].metrics["ndcg@10"])


class ReliabilityBin(SummaryModel):
    """One bin of a reliability diagram."""

    low: float
    high: float
    predicted: float
    observed: float
    events: int


class LabelSummary(SummaryModel):
    """Errors of a ranking head on the test events that have the label, or in `note` why none."""

    kind: str
    events: int
    note: str | None = None
    rmse: float | None = None
    mae: float | None = None
    log_loss: float | None = None
    expected_calibration_error: float | None = None
    uncalibrated_expected_calibration_error: float | None = None
    bias_baseline_rmse: float | None = None
    bias_baseline_mae: float | None = None
    reliability: list[ReliabilityBin] = []


class RankingSummary(ListMetrics):
    """The final lists on test, the lists in ranking's order, and the ranking heads' errors."""

    order: str
    """The stage whose order is served."""
    reranked: ListMetrics | None = None
    against: ListComparisons = {}
    slices: dict[str, dict[str, SliceMetrics]] = {}
    slice_differences: SliceComparisons = {}
    labels: dict[str, LabelSummary] = {}
    training: dict[str, float] = {}

    @property
    def is_served(self) -> bool:
        """Whether the final lists are in ranking's order."""
        return self.order == RANKING


class FairnessGroup(SummaryModel):
    """A group of users (`metric`) or of items (the other three)."""

    users: int | None = None
    note: str | None = None
    metric: MetricInterval | None = None
    exposure: MetricInterval | None = None
    relevance: MetricInterval | None = None
    difference: MetricInterval | None = None


class FairnessTable(SummaryModel):
    """The groups of a declared feature; in `note` why there is no gap."""

    groups: dict[str, FairnessGroup] = {}
    metric: str
    limit: float | None = None
    required: bool = False
    note: str | None = None


class UserFairness(FairnessTable):
    """The gap of a metric between the best and the worst group of users."""

    best: str = ""
    worst: str = ""
    gap: MetricInterval | None = None


class ItemFairness(FairnessTable):
    """The largest difference between a group's shares of exposure and of relevance."""

    widest: str = ""
    gap: float | None = None


class FairnessSummary(SummaryModel):
    """The declared features, as `<table>.<feature>`."""

    users: dict[str, UserFairness] = {}
    items: dict[str, ItemFairness] = {}


class DiversityPoint(SummaryModel):
    """Metrics of the final lists at one value of `diversity`, and the gaps of declared groups by
    `<table>.<feature>`.
    """

    diversity: float
    ndcg: float = Field(alias="ndcg@10")
    distance: float | None = Field(alias="diversity@10", default=None)
    """Mean distance of a list's items; None if no list has two."""
    coverage: float = Field(alias="coverage@10")
    gaps: dict[str, float] = {}


class DiversityCurve(SummaryModel):
    """What diversity costs in accuracy: points by increasing `diversity`, for sampled users."""

    users: int = 0
    points: list[DiversityPoint] = []


class RuleResult(SummaryModel):
    """A blessing rule with the value that it expected and the value that it received. A failed rule
    has a sentence in `failure`, a rule about a slice its `users` and the adjusted `p_value`.
    """

    rule: str
    metric: str = ""
    of: str = ""
    against: str | None = None
    expected: float | None = None
    received: float | None = None
    low: float | None = None
    high: float | None = None
    users: int | None = None
    p_value: float | None = None
    passed: bool
    failure: str | None = None
    note: str | None = None


class PushOverride(SummaryModel):
    """Who pushed models that were not blessed, why, and when (ISO 8601, UTC)."""

    who: str
    why: str
    at: str


class VerdictSummary(SummaryModel):
    """Whether the models may be pushed, by which rules, compared with which version."""

    blessed: bool
    rules: list[RuleResult]
    warnings: list[RuleResult] = []
    """Slices of users in which lists are worse, without effect on the verdict."""
    pushed_before: VersionMetrics | None = None
    forced: PushOverride | None = None

    @property
    def failed(self) -> list[RuleResult]:
        """The rules that failed."""
        return [rule for rule in self.rules if not rule.passed]
