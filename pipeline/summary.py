"""summary.json: what happened in a run, for programs."""

import importlib.metadata
import json
import math
import pathlib
from typing import Any

from apache_beam.io.filesystems import FileSystems
from tfx.types import Artifact
from tfx.utils import path_utils

from components.artifacts import local_copies
from components.evaluator import METRICS
from components.ingest.output import counts
from components.ingest.output.counts import Counts, TableCounts, Unreadable
from components.ranking_analysis import ANALYSIS
from components.retrieval_trainer import WARM_START
from pipeline.config.config import Config
from pipeline.metadata import LatestRuns
from pipeline.report import event_log
from pipeline.runner import Executed

_PACKAGES = (
    "tandem", "tfx", "tensorflow", "tf-keras", "tensorflow-recommenders", "tensorflow-text",
    "scann", "apache-beam",
)  # fmt: skip


def summarise(config: Config, executed: Executed) -> dict[str, Any]:
    """Reads the artifacts of the latest executions."""
    metadata = executed.metadata
    evaluation = _metrics(metadata)
    pushed = None if executed.not_blessed else _output(metadata, "Pusher", "pushed")
    return {
        "name": config.name,
        "seed": config.seed,
        "versions": {name: importlib.metadata.version(name) for name in _PACKAGES},
        "stages": executed.stages,
        "rows": _rows(metadata),
        "rejected_by_reason": _rejected_by_reason(metadata),
        "log": event_log.told(_counts(metadata, "InteractionsGen")),
        "unreadable": _unreadable(metadata),
        "retrieval": evaluation["retrieval"]
        | _training(metadata, "RetrievalTrainer")
        | _warm_start(metadata),
        "ranking": evaluation["ranking"] | _training(metadata, "RankingTrainer"),
        "index": json.loads(_property(_output(metadata, "Indexer", "index"), "measured")),
        "analysis": _analysis(metadata),
        "beside": evaluation.get("beside", {}),
        "fairness": evaluation["fairness"],
        "verdict": evaluation["verdict"] | {"forced": _forced(pushed)},
        "servables": json.loads(_property(pushed, "servables")) if pushed else {},
        "artifacts": {
            "histories": _output(metadata, "InteractionsGen", "histories").uri,
            "candidates": _output(metadata, "RetrievalTrainer", "candidates").uri,
            "interactions": _output(metadata, "InteractionsGen", "examples").uri,
            "index": _output(metadata, "Indexer", "index").uri,
            "query": _model_dir(metadata, "RetrievalTrainer"),
            "ranking": _model_dir(metadata, "RankingTrainer"),
            "servables": path_utils.serving_model_dir(
                _output(metadata, "Recommender", "servables").uri
            ),
        },
        "config": config.model_dump(mode="json"),
    }


def ceiling(data: str) -> dict[str, float] | None:
    """The best that any method could reach, where the data, in a folder or at a URL, are simulated
    and the truth is known.
    """
    truth = FileSystems.join(data, "truth.json")
    if not FileSystems.exists(truth):
        return None
    with FileSystems.open(truth) as file:
        return json.load(file)["ceiling"]


def write(summary: dict[str, object], path: pathlib.Path) -> None:
    """Writes it whole or not at all; a NaN is an error, not a word that JSON does not know."""
    text = json.dumps(summary, indent=1, allow_nan=False)
    unfinished = path.with_suffix(".tmp")
    unfinished.write_text(text + "\n", encoding="utf-8")
    unfinished.rename(path)


def _output(metadata: LatestRuns, node: str, key: str) -> Artifact:
    run = metadata.latest(node)
    assert run is not None, f"{node} has finished before a summary is made"
    return run.outputs[key]


def _model_dir(metadata: LatestRuns, node: str) -> str:
    """Folder of the SavedModel that a trainer wrote."""
    return path_utils.serving_model_dir(_output(metadata, node, "model").uri)


def _counts(metadata: LatestRuns, node: str) -> Counts:
    return counts.from_json(_property(_output(metadata, node, "examples"), "counts"))


def _rejected_by_reason(metadata: LatestRuns) -> dict[str, dict[str, int]]:
    """Of every table that was read."""
    return {name: table.rejected_by_reason for name, table in _tables(metadata).items()}


def _unreadable(metadata: LatestRuns) -> dict[str, dict[str, Unreadable]]:
    """By table and configuration key: values that count as absent."""
    return {name: table.unreadable for name, table in _tables(metadata).items()}


def _tables(metadata: LatestRuns) -> dict[str, TableCounts]:
    both = [_counts(metadata, node).tables for node in ("InteractionsGen", "ItemsGen")]
    return {name: table for tables in both for name, table in tables.items()}


def _rows(metadata: LatestRuns) -> dict[str, int]:
    """Records of the event log, users and items of the data, and events by split."""
    events = _counts(metadata, "InteractionsGen")
    log = events.tables["interactions"]
    return {
        "read": log.read,
        "accepted": log.accepted,
        "rejected": log.rejected,
        "duplicates": log.duplicates,
        "users": events.totals["users"],
        "items": _counts(metadata, "ItemsGen").totals["items"],
        "train": events.totals["train"],
        "valid": events.totals["valid"],
        "test": events.totals["test"],
    }


def _property(artifact: Artifact, name: str) -> str:
    return artifact.get_string_custom_property(name)


def _forced(pushed: Artifact | None) -> dict[str, str] | None:
    """Who overrode the verdict, why and when; None where nobody did."""
    found = _property(pushed, "forced") if pushed else ""
    return json.loads(found) if found else None


def _metrics(metadata: LatestRuns) -> dict[str, dict]:
    uri = _output(metadata, "Evaluator", "evaluation_result").uri
    return json.loads(local_copies.folder(uri).joinpath(METRICS).read_text(encoding="utf-8"))


def _analysis(metadata: LatestRuns) -> dict[str, Any]:
    """TFMA's numbers, and where its artifact is."""
    uri = _output(metadata, "RankingAnalysis", "analysis").uri
    found = json.loads(local_copies.folder(uri).joinpath(ANALYSIS).read_text(encoding="utf-8"))
    return {"artifact": uri} | found


def _warm_start(metadata: LatestRuns) -> dict[str, Any]:
    """What retrieval began from; nothing where it was not asked to begin from anything."""
    found = _property(_output(metadata, "RetrievalTrainer", "model"), WARM_START)
    return {WARM_START: json.loads(found)} if found else {}


def _training(metadata: LatestRuns, node: str) -> dict[str, dict]:
    model = _output(metadata, node, "model")
    found = {name: _number(model, name) for name in model.mlmd_artifact.custom_properties}
    return {"training": {k: v for k, v in found.items() if v is not None and math.isfinite(v)}}


def _number(artifact: Artifact, name: str) -> float | None:
    """A property that came through Kubeflow is a JSON value to TFX, whose `get_custom_property`
    has None for the number 0.
    """
    value = artifact.mlmd_artifact.custom_properties[name]
    if value.HasField("struct_value"):
        found = artifact.get_json_value_custom_property(name)
        return found if isinstance(found, float) else None
    return value.double_value if value.HasField("double_value") else None
