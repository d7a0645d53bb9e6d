"""All transformed data that a trainer or the evaluator reads."""

import dataclasses

import numpy as np
import tensorflow_transform as tft

from schema import timeline
from schema.bulk import find_event_bulk
from schema.dataset import Dataset
from trainer.data.catalogue import Catalogue, load_catalogue
from trainer.data.popularity import PopularityClock, build_clock
from trainer.data.timelines import Timelines, build_item_table, load_timelines


@dataclasses.dataclass(frozen=True)
class TransformLocations:
    """URIs of what the two Transforms wrote."""

    timelines: str
    timelines_graph: str
    items: str
    items_graph: str


@dataclasses.dataclass(frozen=True)
class TrainingData:
    """The catalogue and the three splits."""

    dataset: Dataset
    items_graph: tft.TFTransformOutput
    timelines_graph: tft.TFTransformOutput
    catalogue: Catalogue
    train: Timelines
    valid: Timelines
    test: Timelines

    def clock(self, *splits: Timelines) -> PopularityClock:
        """Popularity over the splits' own events: name those alone that the asker may know."""
        return build_clock(list(splits), self.catalogue.size + 1)

    @property
    def has_clock(self) -> bool:
        """Whether splits are parts of one clock, so that what stands before a moment was known."""
        return self.dataset.split.kind != "last_item"

    def served_votes(self, days: float) -> np.ndarray:
        """[n + 1] votes (see `PopularityClock.votes`) that popularity is served by: those of all
        splits in the `days` before `end`.
        """
        return self.clock(self.train, self.valid, self.test).votes(self.end, days)

    @property
    def end(self) -> int:
        """One second after the log's bulk. Not after its last event: a single one of a far future
        would make all that was popular long past, where evaluation does not see it.
        """
        splits = (self.train, self.valid, self.test)
        return find_event_bulk(np.concatenate([s.timestamps[s.own] for s in splits])).end

    def moment(self, split: Timelines) -> int:
        """When the questions of a split are asked: at its first own event; seconds since epoch.

        A split by last item has no such moment, each user's last item having its own time: there it
        is `end`, and only the choice of splits keeps secrets.
        """
        if not self.has_clock:
            return self.end
        return int(split.timestamps[split.own].min())


def load_training_data(locations: TransformLocations, dataset: Dataset) -> TrainingData:
    """Reads all of it into memory."""
    items_graph = tft.TFTransformOutput(locations.items_graph)
    timelines_graph = tft.TFTransformOutput(locations.timelines_graph)
    items = build_item_table(items_graph)
    train, valid, test = (
        load_timelines(locations.timelines, split, timelines_graph, items, dataset)
        for split in timeline.SPLITS
    )
    return TrainingData(
        dataset=dataset,
        items_graph=items_graph,
        timelines_graph=timelines_graph,
        catalogue=load_catalogue(locations.items, items_graph, dataset),
        train=train,
        valid=valid,
        test=test,
    )
