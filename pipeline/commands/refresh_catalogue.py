"""The catalogue after a refresh: the pushed version's items, with new ones embedded and counted."""

import dataclasses
import os
import pathlib
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import tensorflow as tf

from components.ingest import refresh as ingestion
from components.ingest.output import examples
from components.ingest.output.counts import Counts
from pipeline.commands.refresh_popularity import CurrentPopularity, count_popularity
from pipeline.run_root import RunRoot
from schema import candidates as candidate_files
from schema import refresh_inputs, timeline
from schema.candidates import Candidates, to_text_array
from schema.dataset import Dataset
from schema.errors import DataRefused, NoRunError
from schema.signatures import RECOMMENDER
from schema.storage.locations import is_remote
from serving.graph.saved_models import load_saved_model
from serving.versions.local import LocalVersionStore
from serving.versions.origin import (
    CANDIDATES_FOLDER,
    ORIGIN_FILE,
    Origin,
    find_newest_version,
    get_extra_folder,
    read_origin,
)
from serving.versions.refresh import NewItems, merge_items, replace_log_popularity
from trainer.data.popularity_forecast import PopularityForecast, load_forecast

_REJECTED_FOLDER = "refresh"
_ROWS_PER_BATCH = 4096


@dataclasses.dataclass(frozen=True)
class RefreshInputs:
    """Files, folders, globs or URLs of new data, in the format of the run's own data."""

    items: list[str]
    """One for each table of the catalogue, in their order."""
    events: list[str]
    """One for each table of the log, in their order; empty if popularity stays the same."""


@dataclasses.dataclass(frozen=True)
class RefreshedCatalogue:
    """The items of the new version."""

    candidates: Candidates
    added: int
    changed: int
    popularity: CurrentPopularity | None
    """None without new events."""
    counts: list[Counts]
    """Counts of the new items and, where there are some, of the new events."""


@dataclasses.dataclass(frozen=True)
class BaseVersion:
    """The pushed version that a refresh starts from."""

    version: str
    model: pathlib.Path
    """Folder of the recommender."""
    candidates_uri: str
    """Folder next to the model that `schema.candidates` and `schema.refresh_inputs` read."""
    dataset: Dataset
    forecast: PopularityForecast
    origin: Origin


def read_catalogue(inputs: RefreshInputs, at: RunRoot, base: BaseVersion) -> RefreshedCatalogue:
    """Embeds the new items, and counts popularity with the new events. Raises as ingestion does."""
    rejected = f"{at.location}/{at.rejected.name}/{_REJECTED_FOLDER}"
    ingested = ingestion.read_items(base.dataset, _make_absolute(inputs.items), rejected)
    items = embed_items(ingested.records, base.dataset, base.candidates_uri)
    refreshed = merge_items(candidate_files.load(base.candidates_uri), items)
    candidates, popularity, counts = refreshed.candidates, None, [ingested.counts]
    if inputs.events:
        log = ingestion.read_events(
            base.dataset, _make_absolute(inputs.events), rejected, candidates.item_ids
        )
        counts.append(log.counts)
        earlier = refresh_inputs.load_recent(base.candidates_uri)
        popularity = count_popularity(earlier, log.records, candidates.item_ids, base.forecast)
        candidates = replace_log_popularity(candidates, popularity.log_popularity)
    return RefreshedCatalogue(candidates, refreshed.added, refreshed.changed, popularity, counts)


def _make_absolute(paths: list[str]) -> list[str]:
    return [path if is_remote(path) else os.path.abspath(path) for path in paths]


def open_base_version(serving: pathlib.Path, root: str) -> BaseVersion:
    """The newest version in the serving directory of the run at `root`.

    Raises NoRunError where no version is pushed, UsageError where the version has no candidate
    tower or popularity forecast next to it because an older Tandem pushed it.
    """
    version = find_newest_version(serving)
    if not version:
        raise NoRunError(
            f"expected a pushed version to refresh in {root}/serving, received none; "
            f"run `tandem run --config … --root {root}` until its models are pushed"
        )
    extra = get_extra_folder(serving, version)
    uri = str(extra / CANDIDATES_FOLDER)
    return BaseVersion(
        version=version,
        model=LocalVersionStore(serving).get_folder(RECOMMENDER, int(version)),
        candidates_uri=uri,
        dataset=refresh_inputs.load_dataset(uri),
        forecast=load_forecast(uri),
        origin=read_origin(extra / ORIGIN_FILE),
    )


def embed_items(records: pa.Table, dataset: Dataset, candidates_uri: str) -> NewItems:
    """Embeds `records` of `components.ingest.refresh.read_items` with the pushed candidate tower.

    Raises DataRefused where a vector is not finite.
    """
    name = dataset.data.items_filter
    return NewItems(
        item_ids=to_text_array(records[timeline.ITEM_ID]),
        titles=to_text_array(records[timeline.TITLE]),
        vectors=_compute_vectors(records, candidates_uri),
        available=_combine_chunks(records[timeline.AVAILABLE]).cast(pa.bool_())
        if dataset.data.has_availability
        else None,
        filters=_convert_lists(records[timeline.name_item_feature(name)]) if name else None,
    )


def _combine_chunks(column: pa.ChunkedArray) -> pa.Array:
    return pa.concat_arrays(column.chunks)


def _convert_lists(column: pa.ChunkedArray) -> pa.Array:
    """Texts, or lists of them, with nulls -> large_list<large_binary>, empty for null."""
    array = _combine_chunks(column)
    if pa.types.is_list(array.type) or pa.types.is_large_list(array.type):
        count, values = pc.fill_null(pc.list_value_length(array), 0), pc.list_flatten(array)
    else:
        count, values = pc.is_valid(array).cast(pa.int64()), array.drop_null()
    splits = np.concatenate([[0], np.cumsum(count.to_numpy(zero_copy_only=False))])
    return pa.LargeListArray.from_arrays(pa.array(splits, pa.int64()), to_text_array(values))


def _compute_vectors(records: pa.Table, candidates_uri: str) -> np.ndarray:
    """[m, dim] float32."""
    tower = _load_tower(candidates_uri)
    parts = [
        _embed_batch(tower, records.slice(n, _ROWS_PER_BATCH))
        for n in range(0, records.num_rows, _ROWS_PER_BATCH)
    ]
    vectors = np.concatenate(parts)
    bad = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
    if len(bad):
        first = records[timeline.ITEM_ID][int(bad[0])].as_py()
        raise DataRefused(
            f"items: expected features with a finite vector, received {len(bad)} items without "
            f"one, the first being {first!r}; look for extreme numbers among its features"
        )
    return vectors


def _load_tower(candidates_uri: str) -> Any:
    folder = pathlib.Path(refresh_inputs.locate_tower(candidates_uri))
    return load_saved_model(folder)


def _embed_batch(tower: Any, records: pa.Table) -> np.ndarray:
    return tower.vectors(tf.constant(examples.encode(records))).numpy()
