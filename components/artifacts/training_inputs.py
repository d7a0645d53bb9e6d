"""Inputs of the trainers and the evaluator: the outputs of the two Transforms."""

from tfx.types import standard_artifacts

from schema.dataset import Dataset
from trainer.data.training_data import TrainingData, TransformLocations, load_training_data


def load(
    timelines: standard_artifacts.Examples,
    timelines_graph: standard_artifacts.TransformGraph,
    items: standard_artifacts.Examples,
    items_graph: standard_artifacts.TransformGraph,
    dataset: str,
) -> TrainingData:
    """Reads the artifacts.

    Args:
        timelines: Transformed timelines.
        timelines_graph: Transform graph of the timelines.
        items: Transformed catalogue.
        items_graph: Transform graph of the catalogue.
        dataset: JSON of `schema.dataset.Dataset`.
    """
    locations = TransformLocations(timelines.uri, timelines_graph.uri, items.uri, items_graph.uri)
    return load_training_data(locations, Dataset.model_validate_json(dataset))
