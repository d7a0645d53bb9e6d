"""TFX component: Examples -> TFDV's statistics by split."""

# TFX reads the annotations below as declarations; the function receives plain values.
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
    """Writes the same files as TFX's own StatisticsGen, for ExampleValidator and DataGate.

    There are two differences. Each event counts only in the split that it belongs to: with TFX's
    component, the Examples of a later split consist mostly of repeated history, which hides changes
    in the newest events. And `components.validation.split_statistics` computes all splits in one
    pass.
    """
    splits = artifact_utils.decode_split_names(examples.split_names)
    with pipeline:
        split_statistics.build(pipeline, examples.uri, statistics.uri, splits)
    statistics.split_names = artifact_utils.encode_split_names(splits)
