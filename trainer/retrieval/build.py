"""Builds the retrieval model for a data set, and computes the vectors of all items."""

import numpy as np
import tensorflow as tf

from schema import timeline
from trainer.config.models import RetrievalConfig
from trainer.data.popularity import PopularitySnapshots
from trainer.data.popularity_forecast import ItemPopularity
from trainer.data.preprocessing import USER_VOCABULARY
from trainer.data.timelines import Timelines
from trainer.data.training_data import TrainingData
from trainer.data.windows import build_single_batch
from trainer.layers.features import build_feature_specs
from trainer.metrics.top_k import iterate_blocks
from trainer.retrieval.model import RetrievalModel
from trainer.retrieval.towers import CandidateTower, QueryTower
from trainer.training.checkpoints import copy_weights


def copy_to_float32(
    trained: RetrievalModel,
    data: TrainingData,
    learned: Timelines,
    popularity: ItemPopularity,
    config: RetrievalConfig,
) -> RetrievalModel:
    """A copy of the trained model that computes in float32 and belongs to no strategy.

    Args:
        trained: the model to copy, of any precision and strategy.
        data: the data that sizes the model.
        learned: the timelines that the model has learned.
        popularity: popularity over the same events.
        config: the configuration that the model was trained with.
    """
    model = build_model(data, learned, popularity, config)
    batch = build_single_batch(learned, config.history_length)
    model.compute_loss(
        {k: tf.constant(v) for k, v in batch.items()} | {"negatives": tf.zeros([0], tf.int32)}
    )
    copy_weights(trained, model)
    return model


def build_model(
    data: TrainingData,
    learned: Timelines,
    popularity: ItemPopularity,
    config: RetrievalConfig,
    static_shapes: bool = False,
) -> RetrievalModel:
    """The untrained model, sized by the data.

    Args:
        data: vocabularies, catalogue and declared features.
        learned: the timelines that the model will learn from.
        popularity: popularity over the same events.
        config: hyper-parameters.
        static_shapes: as in `RetrievalModel`.
    """
    chosen = learned.own & learned.positive & (learned.item_index > 0)
    counts = np.bincount(learned.item_index[chosen], minlength=data.catalogue.size + 1)
    features = data.dataset.features
    query = QueryTower(
        data.timelines_graph.vocabulary_size_by_name(USER_VOCABULARY),
        build_feature_specs(features.users, timeline.name_user_feature, data.timelines_graph),
        build_feature_specs(features.context, timeline.name_context, data.timelines_graph),
        config,
    )
    candidate = CandidateTower(
        data.catalogue,
        build_feature_specs(features.items, timeline.name_item_feature, data.items_graph),
        counts > 0,
        config,
    )
    snapshots = _compute_snapshots(data, popularity) if config.popularity_prior else None
    return RetrievalModel(query, candidate, counts / counts.sum(), snapshots, config, static_shapes)


def _compute_snapshots(data: TrainingData, popularity: ItemPopularity) -> PopularitySnapshots:
    """Daily ones; without times a single one of all events, since no event is before another."""
    if data.has_times:
        return popularity.daily_snapshots
    return popularity.compute_snapshots(np.array([data.end]))


def compute_item_vectors(tower: CandidateTower, size: int) -> np.ndarray:
    """[size + 1, dim] vectors of all items, row 0 zero."""
    parts = [
        tf.cast(tower(tf.range(part.start, part.stop), training=False), tf.float32).numpy()
        for part in iterate_blocks(size + 1, 4096)
    ]
    vectors = np.concatenate(parts)
    vectors[0] = 0.0
    return vectors
