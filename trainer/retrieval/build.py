"""Fitting the retrieval model: once without valid, to choose, and on with it, to serve."""

import numpy as np
import tensorflow as tf

from schema import timeline
from trainer import refreshes
from trainer.config.models import RetrievalConfig
from trainer.data import timelines, windows
from trainer.data.evaluation_queries import Questions
from trainer.data.popularity import PopularityClock
from trainer.data.preprocessing import USER_VOCABULARY
from trainer.data.timelines import Timelines
from trainer.data.training_data import TrainingData
from trainer.layers.features import encoded
from trainer.metrics import top_k as ranked_lists
from trainer.retrieval import training as retrieval_training
from trainer.retrieval import validation as validation_sample
from trainer.retrieval.model import RetrievalModel
from trainer.retrieval.towers import CandidateTower, QueryTower
from trainer.retrieval.validation import ValidationSample
from trainer.retrieval.warm_start import WarmStart
from trainer.training import checkpoints as training_state
from trainer.training import tensorboard
from trainer.training.callbacks import Measure
from trainer.training.distribution import Hardware


def held_out(
    data: TrainingData,
    asked: Questions,
    config: RetrievalConfig,
    seed: int,
    log_dir: str,
    checkpoints: str,
    hardware: Hardware,
    begun: WarmStart | None = None,
) -> tuple[dict[str, list[float]], RetrievalModel]:
    """What each epoch measured, and the model that has learned train (and what `begun` had).

    It computes in float32 and belongs to no strategy, whatever it was trained on.
    """
    clock = data.clock(data.train)
    with hardware.scope():
        trained = build(data, data.train, clock, config, hardware.static_shapes)
    sample = validation_sample.draw(asked, clock, data.catalogue.size, config, seed)
    if hardware.writes:
        baselines = validation_sample.baselines(sample, clock, config.popularity_days)
        tensorboard.write_baselines(baselines, log_dir, config.epochs)
    history = retrieval_training.fit(
        trained, data.train, data.valid, config, seed, log_dir, checkpoints,
        measure_of(trained, sample, data, config), hardware, begun,
    )  # fmt: skip
    return history, _plain(trained, data, data.train, clock, config)


def refitted(
    model: RetrievalModel,
    data: TrainingData,
    config: RetrievalConfig,
    seed: int,
    hardware: Hardware,
) -> RetrievalModel:
    """The model after `refit_epochs` more over train and valid together.

    It begins where the other ended, so that their vectors lie in one space and ranking, which
    learned from the other's, can read them.
    """
    if not config.refit_epochs:
        return model
    learned, clock = timelines.joined(data.train, data.valid), data.clock(data.train, data.valid)
    with hardware.scope():
        trained = build(data, learned, clock, config, hardware.static_shapes)
    retrieval_training.go_on(model, trained, learned, config, seed, hardware)
    return _plain(trained, data, learned, clock, config)


def _plain(
    trained: RetrievalModel,
    data: TrainingData,
    learned: Timelines,
    clock: PopularityClock,
    config: RetrievalConfig,
) -> RetrievalModel:
    model = build(data, learned, clock, config)
    batch = windows.one(learned, config.history_length)
    model.compute_loss(
        {k: tf.constant(v) for k, v in batch.items()} | {"negatives": tf.zeros([0], tf.int32)}
    )
    training_state.copy_weights(trained, model)
    return model


def measure_of(
    model: RetrievalModel, sample: ValidationSample, data: TrainingData, config: RetrievalConfig
) -> Measure:
    """Recall and NDCG at 10 of the sampled users."""

    def measure() -> dict[str, float]:
        vectors = item_vectors(model.candidate_tower, data.catalogue.size)
        parts = [
            model.query_tower(
                validation_sample.tensors(batch),
                tf.gather(vectors, batch["item_index"]),
                training=False,
            )[:, -1]
            for batch in sample.batches
        ]
        taste = tf.cast(tf.concat(parts, axis=0), tf.float32).numpy() / config.temperature
        return sample.measure(taste, vectors, model.popularity_weight)

    return measure


def build(
    data: TrainingData,
    learned: Timelines,
    clock: PopularityClock,
    config: RetrievalConfig,
    static_shapes: bool = False,
) -> RetrievalModel:
    """The untrained model, sized by the data; `learned` is what it will learn from, and `clock`
    knows the same events.
    """
    chosen = learned.own & learned.positive & (learned.item_index > 0)
    counts = np.bincount(learned.item_index[chosen], minlength=data.catalogue.size + 1)
    known = refreshes.daily(clock, config.popularity_days) if config.present else None
    features = data.dataset.features
    query = QueryTower(
        data.timelines_graph.vocabulary_size_by_name(USER_VOCABULARY),
        encoded(features.users, timeline.name_user_feature, data.timelines_graph),
        encoded(features.context, timeline.name_context, data.timelines_graph),
        config,
    )
    candidate = CandidateTower(
        data.catalogue,
        encoded(features.items, timeline.name_item_feature, data.items_graph),
        counts > 0,
        config,
    )
    return RetrievalModel(query, candidate, counts / counts.sum(), known, config, static_shapes)


def item_vectors(tower: CandidateTower, size: int) -> np.ndarray:
    """[size + 1, dim] vectors of all items, row 0 zero."""
    parts = [
        tf.cast(tower(tf.range(part.start, part.stop), training=False), tf.float32).numpy()
        for part in ranked_lists.slices(size + 1, 4096)
    ]
    vectors = np.concatenate(parts)
    vectors[0] = 0.0
    return vectors
