"""TFDV statistics of all splits of an Examples artifact, in one Beam pass."""

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

# 100 buckets, so that schema_inference can recognise the end of a scale.
_QUANTILES = 100
# A fixed batch size: Beam would adapt it to the load, and rounding errors depend on the batches.
_ROWS = 1000
_PARALLEL = (
    timeline.ITEM_IDS,
    timeline.TIMESTAMPS,
    timeline.POSITIVE,
    timeline.WEIGHT,
    timeline.SHOWN_COUNTS,
)
_PARALLEL_PREFIXES = (timeline.name_label(""), timeline.name_context(""))


def build(pipeline: beam.Pipeline, examples_uri: str, uri: str, splits: Sequence[str]) -> None:
    """Adds steps to `pipeline` that compute the statistics of the splits.

    TFDV processes the splits as slices of one data set: it uses about twenty Beam stages per data
    set, which cost more than a hundred thousand events. For the same reason TFDV's sketches count
    frequent and unique values (exact up to 16,384 values, estimates above). A split without
    Examples also gets a file.

    Args:
        pipeline: Beam pipeline.
        examples_uri: URI of the Examples.
        uri: URI of the statistics; receives one file per split.
        splits: Names of the splits.
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
    """Reads the statistics of one split, a list of one data set with the split's name."""
    with fileio.open(_locate_file(uri, split), "rb") as file:
        return statistics_pb2.DatasetFeatureStatisticsList.FromString(file.read())


def _prepare_slice(batch: pa.RecordBatch, split: str) -> tuple[str, pa.RecordBatch]:
    return split, prepare_batch(batch)


def _write_splits(
    statistics: statistics_pb2.DatasetFeatureStatisticsList, uri: str, splits: list[str]
) -> None:
    by_split = {dataset.name: dataset for dataset in statistics.datasets}
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
    """Prepares Examples for statistics, so that each event counts once and an empty list counts as
    missing.

    `batch` [examples] has one list column per feature, as TFXIO reads it.

    The parallel lists of a timeline lose the values before `target_from`: these are history, which
    belongs to another Example. An empty list becomes null, because TFDV treats an empty list as
    present and would never report a broken presence rule.
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
    """Removes the first `start` [rows] int64 values from `lists` [rows]."""
    if pa.types.is_null(lists.type):
        return lists
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy().astype(np.int64)
    positions = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    is_own = pa.array(positions >= np.repeat(start, lengths))
    return _build_lists(np.maximum(lengths - start, 0), lists.flatten().filter(is_own))


def _null_empty_lists(lists: pa.Array) -> pa.Array:
    if pa.types.is_null(lists.type):
        return lists
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy().astype(np.int64)
    return _build_lists(lengths, lists.flatten())


def _build_lists(lengths: np.ndarray, values: pa.Array) -> pa.Array:
    """Builds lists of the given lengths; a list of length 0 is null."""
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    # A null offset makes its list null; the last offset is the end of the last list.
    none = np.append(lengths == 0, False)
    return pa.LargeListArray.from_arrays(pa.array(offsets, pa.int64(), mask=none), values)
