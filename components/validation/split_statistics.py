"""TFDV's statistics of every split of an Examples artifact, in one pass of Beam."""

from collections.abc import Sequence

import apache_beam as beam
import pyarrow as pa
import tensorflow_data_validation as tfdv
from apache_beam.io.filesystems import FileSystems
from tensorflow_data_validation.statistics import stats_impl
from tensorflow_metadata.proto.v0 import statistics_pb2
from tfx.components.statistics_gen.executor import DEFAULT_FILE_NAME
from tfx.dsl.io import fileio
from tfx_bsl.public import tfxio

from components.counted_values import counted
from components.ingest.output import examples
from schema.storage import plain_path

# Hundredths, so that the inference of ranges sees where a scale ends: see schema_inference.
_QUANTILES = 100
_ROWS = 1000  # a batch, whatever the load: Beam would tune it by time, and sums round by batch


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
            file_pattern=f"{plain_path.of(_folder(examples_uri, split))}/*",
            telemetry_descriptors=["Tandem"],
        ).BeamSource(_ROWS)
        | f"Counted {split}" >> beam.Map(_in_slice, split)
        for split in splits
    ]
    options = tfdv.StatsOptions(
        use_sketch_based_topk_uniques=True, num_quantiles_histogram_buckets=_QUANTILES
    )
    _ = (
        batches
        | "All splits" >> beam.Flatten()
        | stats_impl.GenerateSlicedStatisticsImpl(options, is_slicing_enabled=True)
        | "Write" >> beam.Map(_write, uri, list(splits))
    )


def load(uri: str, split: str) -> statistics_pb2.DatasetFeatureStatisticsList:
    """One data set, named by its split."""
    with fileio.open(_file(uri, split), "rb") as file:
        return statistics_pb2.DatasetFeatureStatisticsList.FromString(file.read())


def _in_slice(batch: pa.RecordBatch, split: str) -> tuple[str, pa.RecordBatch]:
    return split, counted(batch)


def _write(found: statistics_pb2.DatasetFeatureStatisticsList, uri: str, splits: list[str]) -> None:
    by_split = {dataset.name: dataset for dataset in found.datasets}
    for split in splits:
        none = statistics_pb2.DatasetFeatureStatistics(name=split)
        one = statistics_pb2.DatasetFeatureStatisticsList(datasets=[by_split.get(split, none)])
        examples.make_folder(_folder(uri, split))
        with FileSystems.create(_file(uri, split)) as file:
            file.write(one.SerializeToString(deterministic=True))


def _folder(uri: str, split: str) -> str:
    return f"{uri}/Split-{split}"


def _file(uri: str, split: str) -> str:
    return f"{_folder(uri, split)}/{DEFAULT_FILE_NAME}"
