"""The version that a refresh pushes: written, checked, pushed, and recorded in ML Metadata.

ML Metadata is written without TFX, whose import takes as long as the refresh itself: directly in
the types and properties that the Pusher uses.
"""

import datetime
import json
import pathlib
import shutil
import time
from collections.abc import Mapping
from typing import Any

from ml_metadata import metadata_store
from ml_metadata.proto import metadata_store_pb2 as mlmd

from pipeline.commands.refresh_catalogue import BaseVersion, RefreshedCatalogue
from pipeline.run_root import RunRoot
from schema import candidates as candidate_files
from schema import refresh_inputs
from schema.signatures import RANKING, RECOMMENDER, SERVABLES
from serving import infra_check
from serving.config import IndexConfig
from serving.graph.export import export_servables
from serving.graph.modules import RecommenderModels
from serving.index.build import rebuild_index
from serving.index.eligibility import Eligibility, count_ineligible, parse_deny_list, read_deny_list
from serving.versions.origin import (
    CANDIDATES_FOLDER,
    EXTRA_FOLDER,
    ORIGIN_FILE,
    read_index_measurements,
    write_index_measurements,
    write_origin,
)
from serving.versions.refresh import load_refreshed_models
from serving.versions.store import open_version_store
from trainer.data.popularity_forecast import save_forecast

_EXECUTION = "tandem.Refresh"
_PUSHED = "PushedModel"
_SERVABLES = "servables"
Servables = dict[str, str]
"""Folder or URL of each pushed servable, by name."""


def write_models(
    catalogue: RefreshedCatalogue, pushed: BaseVersion, config: IndexConfig, models: pathlib.Path
) -> dict[str, Any]:
    """Writes the three servables below `models` and checks them; returns the index's metrics."""
    candidates = catalogue.candidates
    denied = parse_deny_list(read_deny_list(config.deny_list))
    evaluated = pushed.origin.evaluated
    built, measured = rebuild_index(
        candidates.vectors,
        Eligibility.of(candidates, denied),
        candidates.sample_queries,
        config.for_repeats(evaluated.repeats),
        read_index_measurements(pushed.model),
    )
    measured |= count_ineligible(candidates, denied)
    before = candidate_files.load_items(pushed.candidates_uri)["item_id"].combine_chunks()
    with load_refreshed_models(pushed.model, before, candidates) as refreshed:
        parts = RecommenderModels(
            refreshed.query,
            built.index,
            refreshed.ranking,
            depth=evaluated.ranking_candidates,
            rank_order=evaluated.order == RANKING,
            repeats=evaluated.repeats,
            diversity=evaluated.diversity,
            calibration=evaluated.calibration,
        )
        export_servables(parts, candidates, str(models))
    write_index_measurements(measured, models / RECOMMENDER)
    infra_check.check(models, candidates, evaluated.repeats)
    return measured


def write_extra_files(
    catalogue: RefreshedCatalogue, pushed: BaseVersion, folder: pathlib.Path
) -> dict[str, pathlib.Path]:
    """Writes what a version needs besides its models: candidates, origin, and what the next refresh
    reads.
    """
    candidates_folder = folder / CANDIDATES_FOLDER
    shutil.copytree(
        refresh_inputs.locate_tower(pushed.candidates_uri),
        refresh_inputs.locate_tower(str(candidates_folder)),
    )
    weights = refresh_inputs.locate_weights(pushed.candidates_uri)
    if pathlib.Path(weights).exists():
        shutil.copytree(weights, refresh_inputs.locate_weights(str(candidates_folder)))
    candidate_files.save(catalogue.candidates, str(candidates_folder))
    popularity = catalogue.popularity
    recent = popularity.recent if popularity else refresh_inputs.load_recent(pushed.candidates_uri)
    refresh_inputs.save(pushed.dataset, recent, str(candidates_folder))
    save_forecast(pushed.forecast, str(candidates_folder))
    now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
    changed = {"pushed_at": now, "refreshed_from": pushed.version}
    origin = folder / ORIGIN_FILE
    write_origin(pushed.origin.model_copy(update=changed), origin)
    return {CANDIDATES_FOLDER: candidates_folder, ORIGIN_FILE: origin}


def push_version(
    at: RunRoot, models: pathlib.Path, extra: dict[str, pathlib.Path]
) -> dict[str, str]:
    """Pushes the servables below `models` as the next version; returns folder or URL by name."""
    folders = {name: models / name for name in SERVABLES}
    files = {f"{EXTRA_FOLDER}/{name}": path for name, path in extra.items()}
    serving = f"{at.uri}/{at.serving.name}" if at.uri else str(at.serving)
    return open_version_store(serving).push(folders, {RECOMMENDER: files})


def record_refresh(
    path: pathlib.Path,
    pipeline: str,
    before: Servables,
    after: Servables,
    properties: Mapping[str, object],
) -> int:
    """Writes one execution with its input and output, atomically; returns its id.

    The input is the artifact that the Pusher or an earlier refresh wrote; it is created where the
    store does not have it.

    Args:
        path: The store, a SQLite file.
        pipeline: Name of the run's configuration.
        before: The version that was refreshed.
        after: The version that was pushed.
        properties: Custom properties of the execution, written as JSON.
    """
    store = metadata_store.MetadataStore(_make_connection(path))
    kind = mlmd.ArtifactType(name=_PUSHED)
    kind.id = store.put_artifact_type(kind, can_add_fields=True, can_omit_fields=True)
    input_event = mlmd.Event(type=mlmd.Event.INPUT)
    input_event.path.steps.add().key = "refreshed"
    output_event = mlmd.Event(type=mlmd.Event.OUTPUT)
    output_event.path.steps.add().key = "pushed"
    execution_id, _, _ = store.put_execution(
        _make_execution(store, properties),
        [
            (_find_artifact(store, before) or _make_artifact(kind.id, before), input_event),
            (_make_artifact(kind.id, after), output_event),
        ],
        _find_contexts(store, pipeline),
    )
    return execution_id


def _make_connection(path: pathlib.Path) -> mlmd.ConnectionConfig:
    mode = mlmd.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
    sqlite = mlmd.SqliteMetadataSourceConfig(filename_uri=str(path), connection_mode=mode)
    return mlmd.ConnectionConfig(sqlite=sqlite)


def _make_execution(
    store: metadata_store.MetadataStore, properties: Mapping[str, object]
) -> mlmd.Execution:
    type_id = store.put_execution_type(mlmd.ExecutionType(name=_EXECUTION))
    execution = mlmd.Execution(type_id=type_id, last_known_state=mlmd.Execution.COMPLETE)
    for name, value in properties.items():
        execution.custom_properties[name].string_value = json.dumps(value)
    return execution


def _find_artifact(
    store: metadata_store.MetadataStore, servables: Servables
) -> mlmd.Artifact | None:
    for artifact in store.get_artifacts_by_type(_PUSHED):
        if artifact.custom_properties[_SERVABLES].string_value == _encode_servables(servables):
            return artifact
    return None


def _make_artifact(type_id: int, servables: Servables) -> mlmd.Artifact:
    folder = next(iter(servables.values()))
    artifact = mlmd.Artifact(type_id=type_id, uri=folder, state=mlmd.Artifact.LIVE)
    artifact.custom_properties[_SERVABLES].string_value = _encode_servables(servables)
    artifact.create_time_since_epoch = int(1000 * time.time())
    return artifact


def _encode_servables(servables: Servables) -> str:
    """The property in the Pusher's format."""
    return json.dumps(
        {
            name: {"path": at, "version": int(at.rpartition("/")[2])}
            for name, at in servables.items()
        }
    )


def _find_contexts(store: metadata_store.MetadataStore, pipeline: str) -> list[mlmd.Context]:
    """The pipeline's context; [] where it has not run with this store."""
    context = store.get_context_by_type_and_name("pipeline", pipeline)
    return [] if context is None else [context]
