"""summary.json: what happened in a run. The terminal report, the HTML report, TensorBoard, Kubeflow
and `--json` read this model.

Fields have the names of the JSON's keys; undeclared keys are kept as they are.
"""

from typing import Any

from pydantic import Field, ValidationError
from typing_extensions import Self

from schema.errors import UsageError
from schema.evaluation_summary import (
    DiversityCurve,
    FairnessSummary,
    RankingSummary,
    RetrievalSummary,
    SummaryModel,
    VerdictSummary,
    VersionMetrics,
)


class StageTime(SummaryModel):
    """One executed or cached stage."""

    name: str
    seconds: float
    cached: bool


class RowCounts(SummaryModel):
    """Records of the event log, users and items of the data, and events by split."""

    read: int
    accepted: int
    rejected: int
    duplicates: int
    users: int
    items: int
    train: int
    valid: int
    test: int


class OverlapCounts(SummaryModel):
    """How many ids of the log are in another table."""

    total: int
    met: int
    share: float


class EventLog(SummaryModel):
    """The event log's bulk (seconds since epoch, UTC), overlaps by table, and, under its name, the
    number of each kind of event far from the bulk, with samples.
    """

    __pydantic_extra__: dict[str, int] = Field(init=False)
    begin: int = 0
    end: int = 0
    meetings: dict[str, OverlapCounts] = {}
    samples: dict[str, list[str]] = {}

    @property
    def outliers(self) -> dict[str, int]:
        """Number of events far from the bulk, by kind."""
        return self.__pydantic_extra__ or {}


class UnreadableField(SummaryModel):
    """Values of an optional field that count as absent, with an example of what is wrong."""

    values: int
    example: str


class FrontierPoint(SummaryModel):
    """A setting of the index that tuning measured."""

    ann_recall: float = Field(alias="ann_recall@100")
    p50_ms: float


class IndexSummary(FrontierPoint):
    """The chosen index and exact search, on this run's machine."""

    kind: str
    items: int
    exact_p50_ms: float
    frontier: list[FrontierPoint] = []
    unavailable: int = 0
    denied: int = 0
    denied_unknown: int = 0


class AnalysisHead(SummaryModel):
    """TFMA's analysis of a head, or in `note` why there is none."""

    note: str | None = None


class AnalysisSlice(SummaryModel):
    """TFMA's metrics of a slice, each under `<head>/<metric>`."""

    __pydantic_extra__: dict[str, int | float] = Field(init=False)
    note: str | None = None

    @property
    def metrics(self) -> dict[str, int | float]:
        """Value by `<head>/<metric>`."""
        return self.__pydantic_extra__ or {}


class AnalysisSummary(SummaryModel):
    """TFMA's metrics of the ranking model."""

    artifact: str | None = None
    heads: dict[str, AnalysisHead] = {}
    slices: dict[str, AnalysisSlice] = {}


class PushedServable(SummaryModel):
    """A servable that the run pushed; `path` is a folder or a URL."""

    version: int
    path: str


class HistoryEvent(SummaryModel):
    """An event of a user's history; seconds since epoch, UTC."""

    item_id: str
    title: str
    timestamp: int


class RecommendedItem(SummaryModel):
    """An item of a list, and the stage that it comes from."""

    rank: int
    item_id: str
    title: str
    score: float
    stage: str


class UserRecommendations(SummaryModel):
    """A user's latest events (latest last) and recommendations (best first)."""

    user_id: str
    known_user: bool
    history: list[HistoryEvent]
    recommendations: list[RecommendedItem]


class RunSummary(SummaryModel):
    """The whole of summary.json."""

    name: str
    seed: int
    versions: dict[str, str]
    stages: list[StageTime]
    rows: RowCounts
    rejected_by_reason: dict[str, dict[str, int]]
    """By table: reason -> number of records."""
    log: EventLog = EventLog()
    unreadable: dict[str, dict[str, UnreadableField]] = {}
    """By table: configuration key -> values that count as absent."""
    assumed_utc: dict[str, dict[str, int]] = {}
    unused: dict[str, int] = {}
    unnamed_kinds: dict[str, int] = {}
    """Events of the log by kind, where `labels.events` does not name the kind; "" for no kind."""
    retrieval: RetrievalSummary
    ranking: RankingSummary
    index: IndexSummary
    analysis: AnalysisSummary = AnalysisSummary()
    beside: dict[str, VersionMetrics] = {}
    """Versions that were evaluated for comparison only, by name."""
    fairness: FairnessSummary = FairnessSummary()
    diversity: DiversityCurve = DiversityCurve()
    verdict: VerdictSummary
    servables: dict[str, PushedServable]
    """By name; {} if nothing was pushed."""
    artifacts: dict[str, str]
    """Path or URL by name."""
    config: dict[str, Any]
    """The configuration of the run."""
    examples: list[UserRecommendations] = []

    @classmethod
    def parse(cls, text: str, source: str) -> Self:
        """The summary in `text`; raises UsageError with `source` if it is invalid."""
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(map(str, first["loc"]))
            raise UsageError(
                f"expected the summary of a run in {source}, received one without a valid {key} "
                f"({first['msg']}); another version of Tandem wrote it; run again"
            ) from error
