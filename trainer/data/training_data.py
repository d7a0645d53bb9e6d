"""All transformed data that the trainers and the evaluator read."""

import dataclasses

import numpy as np
import tensorflow_transform as tft

from schema import timeline
from schema.bulk import find_event_bulk
from schema.dataset import Dataset
from schema.recommend import Repeats
from trainer.data.catalogue import Catalogue, load_catalogue
from trainer.data.event_weights import scale_weights
from trainer.data.popularity import PopularityClock, build_clock
from trainer.data.propensities import ExposurePropensities, count_impressions
from trainer.data.timelines import Timelines, build_item_table, load_timelines


@dataclasses.dataclass(frozen=True)
class TransformLocations:
    """URIs of the outputs of the two Transforms."""

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
        """Popularity over the splits' own events; pass only splits that may be known at the time
        of the query.
        """
        return build_clock(list(splits), self.catalogue.size + 1)

    def propensities(self, *splits: Timelines) -> ExposurePropensities | None:
        """How often the splits' impressions showed each item, see `count_impressions`; pass only
        splits that may be known at the time of the query.
        """
        return count_impressions(list(splits), self.catalogue.size + 1)

    @property
    def has_clock(self) -> bool:
        """Whether all timestamps share one clock, so that earlier events were known at a moment."""
        return self.dataset.split.has_clock

    @property
    def has_times(self) -> bool:
        """Whether timestamps are times, and not only an order or nothing."""
        return self.dataset.data.interactions.has_times

    @property
    def repeats(self) -> Repeats:
        """Whether lists hold items of the user's history."""
        return self.dataset.recommend.repeats

    @property
    def end(self) -> int:
        """One second after the log's bulk; seconds since epoch, UTC.

        Not after its last event: a single event in the far future would move the popularity window
        past all others, unnoticed by evaluation.
        """
        splits = (self.train, self.valid, self.test)
        return find_event_bulk(np.concatenate([s.timestamps[s.own] for s in splits])).end

    def moment(self, split: Timelines) -> int:
        """The time of a split's evaluation queries: its first own event; seconds since epoch, UTC.

        A split without a clock has no common moment: there it is `end`, and only the choice of
        splits prevents leakage.
        """
        if not self.has_clock:
            return self.end
        return int(split.timestamps[split.own].min())


def load_training_data(locations: TransformLocations, dataset: Dataset) -> TrainingData:
    """Reads the catalogue and all splits into memory."""
    items_graph = tft.TFTransformOutput(locations.items_graph)
    timelines_graph = tft.TFTransformOutput(locations.timelines_graph)
    items = build_item_table(items_graph)
    train, valid, test = scale_weights(
        *(
            load_timelines(locations.timelines, split, timelines_graph, items, dataset)
            for split in timeline.SPLITS
        )
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
