"""Everything a trainer or the evaluator reads of the transformed data."""

import dataclasses

import tensorflow_transform as tft

from schema import timeline
from schema.dataset import Dataset
from trainer import catalogue, timelines
from trainer.catalogue import Catalogue
from trainer.popularity import PopularityClock, clock
from trainer.timelines import Timelines


@dataclasses.dataclass(frozen=True)
class Locations:
    """URIs of what the two Transforms wrote."""

    timelines: str
    timelines_graph: str
    items: str
    items_graph: str


@dataclasses.dataclass(frozen=True)
class TrainingData:
    """The catalogue, the three splits and the clock over all their events."""

    dataset: Dataset
    items_graph: tft.TFTransformOutput
    timelines_graph: tft.TFTransformOutput
    catalogue: Catalogue
    train: Timelines
    valid: Timelines
    test: Timelines

    def clock(self) -> PopularityClock:
        """Popularity over all events of the log; ask it only for moments that the asker may
        know.
        """
        return clock([self.train, self.valid, self.test], self.catalogue.size + 1)


def cut(split: Timelines) -> int:
    """The moment at which a split begins: the time of its first own event."""
    return int(split.timestamps[split.own].min())


def load(locations: Locations, dataset: Dataset) -> TrainingData:
    """Reads all of it into memory."""
    items_graph = tft.TFTransformOutput(locations.items_graph)
    timelines_graph = tft.TFTransformOutput(locations.timelines_graph)
    items = timelines.item_table(items_graph)
    train, valid, test = (
        timelines.load(locations.timelines, split, timelines_graph, items, dataset)
        for split in timeline.SPLITS
    )
    return TrainingData(
        dataset=dataset,
        items_graph=items_graph,
        timelines_graph=timelines_graph,
        catalogue=catalogue.load(locations.items, items_graph, dataset),
        train=train,
        valid=valid,
        test=test,
    )
