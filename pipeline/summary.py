"""summary.json: what a run did and measured, for programs."""

import importlib.metadata
import json
import math
import pathlib
from collections import Counter
from typing import Any

from apache_beam.io.filesystems import FileSystems
from tfx.types import Artifact
from tfx.utils import path_utils

from components.artifacts.local_copies import locate_folder
from components.evaluator import METRICS
from components.ingest.output import counts
from components.ingest.output.counts import Counts, TableCounts, UnreadableValues
from components.ranking_analysis import ANALYSIS
from components.retrieval_trainer import WARM_START
from pipeline.config.config import Config
from pipeline.metadata import LatestRuns
from pipeline.report import event_log
from pipeline.runner import RunResult
from schema.run_summary import RunSummary
from schema.storage import atomic

_PACKAGES = (
    "tandem", "tfx", "tensorflow", "tf-keras", "tensorflow-recommenders", "tensorflow-text",
    "scann", "apache-beam",
)  # fmt: skip


def summarise_run(config: Config, result: RunResult) -> RunSummary:
    """Summarises the artifacts of the latest executions."""
    metadata = result.metadata
    evaluation = _read_metrics(metadata)
    pushed = None if result.not_blessed else _get_output(metadata, "Pusher", "pushed")
    summary = {
        "name": config.name,
        "seed": config.seed,
        "versions": {name: importlib.metadata.version(name) for name in _PACKAGES},
        "stages": result.stages,
        "rows": _count_rows(metadata),
        "rejected_by_reason": _count_rejections(metadata),
        "log": event_log.summarise_log(_read_counts(metadata, "InteractionsGen")),
        "unreadable": _count_unreadable(metadata),
        "assumed_utc": _count_assumed_utc(metadata),
        "unused": _count_unused(metadata),
        "unnamed_kinds": _count_unnamed_kinds(metadata),
        "retrieval": evaluation["retrieval"]
        | _read_training(metadata, "RetrievalTrainer")
        | _read_warm_start(metadata),
        "ranking": evaluation["ranking"] | _read_training(metadata, "RankingTrainer"),
        "index": json.loads(_get_property(_get_output(metadata, "Indexer", "index"), "measured")),
        "analysis": _read_analysis(metadata),
        "beside": evaluation.get("beside", {}),
        "fairness": evaluation["fairness"],
        "diversity": evaluation["diversity"],
        "verdict": evaluation["verdict"] | {"forced": _read_override(pushed)},
        "servables": json.loads(_get_property(pushed, "servables")) if pushed else {},
        "artifacts": {
            "histories": _get_output(metadata, "InteractionsGen", "histories").uri,
            "candidates": _get_output(metadata, "RetrievalTrainer", "candidates").uri,
            "interactions": _get_output(metadata, "InteractionsGen", "examples").uri,
            "index": _get_output(metadata, "Indexer", "index").uri,
            "query": _get_model_dir(metadata, "RetrievalTrainer"),
            "ranking": _get_model_dir(metadata, "RankingTrainer"),
            "servables": path_utils.serving_model_dir(
                _get_output(metadata, "Recommender", "servables").uri
            ),
        },
        "config": config.model_dump(mode="json"),
    }
    return RunSummary.model_validate(summary)


def read_ceiling(data: str) -> dict[str, float] | None:
    """The best possible metrics on the data in a folder or at a URL; None if the data are not
    simulated.
    """
    truth = FileSystems.join(data, "truth.json")
    if not FileSystems.exists(truth):
        return None
    with FileSystems.open(truth) as file:
        return json.load(file)["ceiling"]


def write_summary(summary: RunSummary, path: pathlib.Path) -> None:
    """Writes it atomically; raises ValueError for NaN, which is not JSON."""
    text = json.dumps(summary.to_json(), indent=1, allow_nan=False)
    atomic.write_text(path, text + "\n")


def _get_output(metadata: LatestRuns, node: str, key: str) -> Artifact:
    run = metadata.find_latest_run(node)
    assert run is not None, f"{node} has finished before a summary is made"
    return run.outputs[key]


def _get_model_dir(metadata: LatestRuns, node: str) -> str:
    """Folder of the SavedModel that a trainer wrote."""
    return path_utils.serving_model_dir(_get_output(metadata, node, "model").uri)


def _read_counts(metadata: LatestRuns, node: str) -> Counts:
    return counts.parse(_get_property(_get_output(metadata, node, "examples"), "counts"))


def _count_rejections(metadata: LatestRuns) -> dict[str, dict[str, int]]:
    """Rejected records by table and reason."""
    return {name: table.rejected_by_reason for name, table in _read_table_counts(metadata).items()}


def _count_assumed_utc(metadata: LatestRuns) -> dict[str, dict[str, int]]:
    """Times without a zone by table and key of the field."""
    return {name: table.assumed_utc for name, table in _read_table_counts(metadata).items()}


def _count_unused(metadata: LatestRuns) -> dict[str, int]:
    """Unused records (see `TableCounts.unused`) by table, where there are any."""
    tables = _read_table_counts(metadata)
    return {name: table.unused for name, table in tables.items() if table.unused}


def _count_unnamed_kinds(metadata: LatestRuns) -> dict[str, int]:
    """Events of all tables of the log by kind, most frequent first."""
    tables = _read_counts(metadata, "InteractionsGen").tables.values()
    total = sum((Counter(table.unnamed_kinds) for table in tables), Counter())
    return dict(total.most_common())


def _count_unreadable(metadata: LatestRuns) -> dict[str, dict[str, UnreadableValues]]:
    """Unreadable values, which count as absent, by table and configuration key."""
    return {name: table.unreadable for name, table in _read_table_counts(metadata).items()}


def _read_table_counts(metadata: LatestRuns) -> dict[str, TableCounts]:
    both = [_read_counts(metadata, node).tables for node in ("InteractionsGen", "ItemsGen")]
    return {name: table for tables in both for name, table in tables.items()}


def _count_rows(metadata: LatestRuns) -> dict[str, int]:
    """Records of the event log, users and items of the data, and events by split."""
    events = _read_counts(metadata, "InteractionsGen")
    log = [
        table for name, table in events.tables.items() if name.partition(".")[0] == "interactions"
    ]
    return {
        "read": sum(table.read for table in log),
        "accepted": sum(table.accepted for table in log),
        "rejected": sum(table.rejected for table in log),
        "duplicates": sum(table.duplicates for table in log),
        "users": events.totals["users"],
        "items": _read_counts(metadata, "ItemsGen").totals["items"],
        "train": events.totals["train"],
        "valid": events.totals["valid"],
        "test": events.totals["test"],
    }


def _get_property(artifact: Artifact, name: str) -> str:
    return artifact.get_string_custom_property(name)


def _read_override(pushed: Artifact | None) -> dict[str, str] | None:
    """Who overrode the verdict, why and when; None without an override."""
    override = _get_property(pushed, "forced") if pushed else ""
    return json.loads(override) if override else None


def _read_metrics(metadata: LatestRuns) -> dict[str, dict]:
    uri = _get_output(metadata, "Evaluator", "evaluation_result").uri
    return json.loads(locate_folder(uri).joinpath(METRICS).read_text(encoding="utf-8"))


def _read_analysis(metadata: LatestRuns) -> dict[str, Any]:
    """TFMA's numbers, and where its artifact is."""
    uri = _get_output(metadata, "RankingAnalysis", "analysis").uri
    analysis = json.loads(locate_folder(uri).joinpath(ANALYSIS).read_text(encoding="utf-8"))
    return {"artifact": uri} | analysis


def _read_warm_start(metadata: LatestRuns) -> dict[str, Any]:
    """Which version retrieval was warm-started from; empty without `warm_start`."""
    decision = _get_property(_get_output(metadata, "RetrievalTrainer", "model"), WARM_START)
    return {WARM_START: json.loads(decision)} if decision else {}


def _read_training(metadata: LatestRuns, node: str) -> dict[str, dict]:
    model = _get_output(metadata, node, "model")
    metrics = {name: _read_number(model, name) for name in model.mlmd_artifact.custom_properties}
    return {"training": {k: v for k, v in metrics.items() if v is not None and math.isfinite(v)}}


def _read_number(artifact: Artifact, name: str) -> float | None:
    """A property that came through Kubeflow is a JSON value to TFX, whose `get_custom_property`
    has None for the number 0.
    """
    value = artifact.mlmd_artifact.custom_properties[name]
    if value.HasField("struct_value"):
        value = artifact.get_json_value_custom_property(name)
        return value if isinstance(value, float) else None
    return value.double_value if value.HasField("double_value") else None
