"""TFX component: Examples -> TFDV's statistics by split."""

# TFX reads the annotations below as a declaration; what the function is given are plain values.
# pyright: reportArgumentType=false, reportGeneralTypeIssues=false
# pyright: reportInvalidTypeArguments=false

import apache_beam as beam
from tfx.dsl.component.experimental.annotations import (
    BeamComponentParameter,
    InputArtifact,
    OutputArtifact,
)
from tfx.dsl.component.experimental.decorators import component
from tfx.types import artifact_utils
from tfx.types.standard_artifacts import Examples, ExampleStatistics

from components.validation import split_statistics


@component(use_beam=True)
def StatisticsGen(
    examples: InputArtifact[Examples],
    statistics: OutputArtifact[ExampleStatistics],
    pipeline: BeamComponentParameter[beam.Pipeline] = None,
) -> None:
    """Writes what TFX's own StatisticsGen writes, for ExampleValidator and the gate to read.

    Two things differ. An event is counted in the split that it belongs to alone: to TFX's own a
    later split's Examples are mostly the history that they carry, and a change in the newest events
    drowns in it. And all splits take one pass, by `components.validation.split_statistics`.
    """
    splits = artifact_utils.decode_split_names(examples.split_names)
    with pipeline:
        split_statistics.build(pipeline, examples.uri, statistics.uri, splits)
    statistics.split_names = artifact_utils.encode_split_names(splits)
