"""TFDV's statistics of every split of an Examples artifact, in one pass of Beam."""

from collections.abc import Sequence

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import tensorflow_data_validation as tfdv
from apache_beam.io.filesystems import FileSystems
from tensorflow_data_validation.statistics import stats_impl
from tensorflow_metadata.proto.v0 import statistics_pb2
from tfx.components.statistics_gen.executor import DEFAULT_FILE_NAME
from tfx.dsl.io import fileio
from tfx_bsl.public import tfxio

from components.ingest.output import examples
from schema import timeline
from schema.storage import plain_path

# Hundredths, so that the inference of ranges sees where a scale ends: see schema_inference.
_QUANTILES = 100
_ROWS = 1000  # a batch, whatever the load: Beam would tune it by time, and sums round by batch
_PARALLEL = (timeline.ITEM_IDS, timeline.TIMESTAMPS, timeline.POSITIVE)
_PARALLEL_PREFIXES = (timeline.name_label(""), timeline.name_context(""))


def build(pipeline: beam.Pipeline, examples_uri: str, uri: str, splits: Sequence[str]) -> None:
    """Adds to `pipeline` the way from `examples_uri` to a statistics file a split below `uri`.

    The splits go through TFDV as slices of one data set: it lays some twenty Beam stages a data
    set, whose cost exceeds that of a hundred thousand events. Most frequent and unique values are
    counted by its sketches (exact up to 16,384 values, estimates above) for the same reason.
    A split without an Example has a file that says so.
    """
    batches = [
        pipeline
        | f"Read {split}"
        >> tfxio.TFExampleRecord(
            file_pattern=f"{plain_path.link(_locate_folder(examples_uri, split))}/*",
            telemetry_descriptors=["Tandem"],
        ).BeamSource(_ROWS)
        | f"Counted {split}" >> beam.Map(_prepare_slice, split)
        for split in splits
    ]
    options = tfdv.StatsOptions(
        use_sketch_based_topk_uniques=True, num_quantiles_histogram_buckets=_QUANTILES
    )
    _ = (
        batches
        | "All splits" >> beam.Flatten()
        | stats_impl.GenerateSlicedStatisticsImpl(options, is_slicing_enabled=True)
        | "Write" >> beam.Map(_write_splits, uri, list(splits))
    )


def load(uri: str, split: str) -> statistics_pb2.DatasetFeatureStatisticsList:
    """One data set, named by its split."""
    with fileio.open(_locate_file(uri, split), "rb") as file:
        return statistics_pb2.DatasetFeatureStatisticsList.FromString(file.read())


def _prepare_slice(batch: pa.RecordBatch, split: str) -> tuple[str, pa.RecordBatch]:
    return split, prepare_batch(batch)


def _write_splits(
    found: statistics_pb2.DatasetFeatureStatisticsList, uri: str, splits: list[str]
) -> None:
    by_split = {dataset.name: dataset for dataset in found.datasets}
    for split in splits:
        none = statistics_pb2.DatasetFeatureStatistics(name=split)
        one = statistics_pb2.DatasetFeatureStatisticsList(datasets=[by_split.get(split, none)])
        examples.make_folder(_locate_folder(uri, split))
        with FileSystems.create(_locate_file(uri, split)) as file:
            file.write(one.SerializeToString(deterministic=True))


def _locate_folder(uri: str, split: str) -> str:
    return f"{uri}/Split-{split}"


def _locate_file(uri: str, split: str) -> str:
    return f"{_locate_folder(uri, split)}/{DEFAULT_FILE_NAME}"


def prepare_batch(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Examples as their statistics count them: each event once, and no value as a missing one.

    `batch` [examples] has a list column a feature, as TFXIO reads it.

    The parallel lists of a timeline lose what stands before `target_from`: it is history, carried
    along, which another Example counts as its own. A list that is empty becomes null: to TFDV an
    empty list is present, and a rule of presence would never be broken.
    """
    names = batch.schema.names
    columns = list(batch.columns)
    if timeline.TARGET_FROM in names:
        start = batch.column(timeline.TARGET_FROM).flatten().to_numpy()
        columns = [
            _drop_first(column, start) if _is_parallel(name) else column
            for name, column in zip(names, columns, strict=True)
        ]
    return pa.RecordBatch.from_arrays([_null_empty_lists(column) for column in columns], names)


def _is_parallel(name: str) -> bool:
    return name in _PARALLEL or name.startswith(_PARALLEL_PREFIXES)


def _drop_first(lists: pa.Array, start: np.ndarray) -> pa.Array:
    """[rows] lists, [rows] int64 -> the lists without their first `start` values."""
    if pa.types.is_null(lists.type):
        return lists
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy().astype(np.int64)
    positions = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    kept = pa.array(positions >= np.repeat(start, lengths))
    return _build_lists(np.maximum(lengths - start, 0), lists.flatten().filter(kept))


def _null_empty_lists(lists: pa.Array) -> pa.Array:
    if pa.types.is_null(lists.type):
        return lists
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy().astype(np.int64)
    return _build_lists(lengths, lists.flatten())


def _build_lists(lengths: np.ndarray, values: pa.Array) -> pa.Array:
    """Lists of these lengths; null where it is 0."""
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    # An offset that is null makes its list null; the last one closes the last list.
    none = np.append(lengths == 0, False)
    return pa.LargeListArray.from_arrays(pa.array(offsets, pa.int64(), mask=none), values)
