"""What the trainers and the evaluator are given by the two Transforms."""

from tfx.types import standard_artifacts

from schema.dataset import Dataset
from trainer.data import training_data
from trainer.data.training_data import Locations, TrainingData


def load(
    timelines: standard_artifacts.Examples,
    timelines_graph: standard_artifacts.TransformGraph,
    items: standard_artifacts.Examples,
    items_graph: standard_artifacts.TransformGraph,
    dataset: str,
) -> TrainingData:
    """Reads the artifacts; `dataset` is the JSON of `schema.dataset.Dataset`."""
    locations = Locations(timelines.uri, timelines_graph.uri, items.uri, items_graph.uri)
    return training_data.load(locations, Dataset.model_validate_json(dataset))
