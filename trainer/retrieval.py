"""The retrieval stage, from transformed data to a query SavedModel and candidate vectors."""

import logging
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from schema import candidates, timeline
from trainer import (
    metrics,
    popularity,
    query_export,
    questions,
    ranked_lists,
    retrieval_training,
    tensorboard,
    training_state,
    validation_sample,
    windows,
)
from trainer.config import RetrievalConfig
from trainer.encoders import encoded
from trainer.epoch_measures import Measure
from trainer.preprocessing import USER_VOCABULARY
from trainer.query_export import QueryModule
from trainer.questions import Questions
from trainer.retrieval_model import RetrievalModel
from trainer.strategy import Hardware
from trainer.towers import CandidateTower, QueryTower
from trainer.training_data import TrainingData
from trainer.validation_sample import ValidationSample

POPULARITY_WEIGHTS = (0.0, 0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0)
SAMPLE_QUERIES = 1000
SAMPLE_USERS = 512
Encode = Callable[[dict[str, tf.Tensor]], tf.Tensor]
_log = logging.getLogger(__name__)


def train(
    data: TrainingData,
    config: RetrievalConfig,
    seed: int,
    model_uri: str,
    candidates_uri: str,
    log_dir: str,
    checkpoints: str | None = None,
    hardware: Hardware | None = None,
) -> dict[str, float]:
    """Trains on train, stops and weighs popularity on valid, and writes both artifacts.

    Goes on from what an interrupted training has left in the folder `checkpoints` (beside the model
    without one), which must belong to this data and configuration; it is removed in the end. Of
    several workers' processes one writes. Returns what was measured on valid.
    """
    hardware = hardware or Hardware()
    checkpoints = checkpoints or f"{model_uri}.checkpoints"
    tf.keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    asked = questions.ask(data.valid, data.moment(data.valid))
    history, model = _fitted(data, asked, config, seed, log_dir, checkpoints, hardware)
    vectors = item_vectors(model.candidate_tower, data.catalogue.size)
    module = _query_module(model, vectors, 1.0, data, config)
    weight, quality = weigh_popularity(module, asked, vectors, data, config)
    if hardware.writes:
        module = _query_module(model, vectors, weight, data, config)
        query_export.save(module, _any_batch(data, config), model_uri)
        sample = query_vectors(_traced(module), asked, config.history_length)[:SAMPLE_QUERIES]
        _save_candidates(vectors, sample, data, config, candidates_uri)
        taken = data.clock(data.train).counts(data.moment(data.valid))
        tensorboard.write_projector(data.catalogue.titles[1:], vectors[1:], taken[1:], log_dir)
        training_state.remove(checkpoints)
    _log.info("retrieval trained valid_ndcg@10=%.4f popularity_weight=%s", quality, weight)
    return {
        "valid_ndcg@10": quality,
        "popularity_weight": weight,
        "epochs": len(history["loss"]),
        "loss": history["loss"][-1],
        "valid_loss": min(history["val_loss"]),
    }


def _fitted(
    data: TrainingData,
    asked: Questions,
    config: RetrievalConfig,
    seed: int,
    log_dir: str,
    checkpoints: str,
    hardware: Hardware,
) -> tuple[dict[str, list[float]], RetrievalModel]:
    """What each epoch measured, and the trained model as one that computes in float32 and belongs
    to no strategy.
    """
    with hardware.scope():
        trained = build(data, config, hardware.static_shapes)
    clock = data.clock(data.train)
    counts = clock.counts(asked.now, config.popularity_days)
    sample = validation_sample.draw(asked, SAMPLE_USERS, counts, config.history_length, seed)
    if hardware.writes:
        baselines = validation_sample.baselines(sample, clock, config.popularity_days)
        tensorboard.write_baselines(baselines, log_dir, config.epochs)
    history = retrieval_training.fit(
        trained, data.train, data.valid, config, seed, log_dir, checkpoints,
        _measure(trained, sample, data, config), hardware,
    )  # fmt: skip
    model = build(data, config)
    batch = windows.pad(data.train, windows.cut(data.train, config.history_length), np.arange(1))
    model.compute_loss(
        {k: tf.constant(v) for k, v in batch.items()} | {"negatives": tf.zeros([0], tf.int32)}
    )
    training_state.copy_weights(trained, model)
    return history, model


def _measure(
    model: RetrievalModel, sample: ValidationSample, data: TrainingData, config: RetrievalConfig
) -> Measure:
    """Recall and NDCG at 10 of the sampled users, with popularity weighed as it will be.

    After the first time only the neighbours of the last best weight are tried.
    """
    weights = POPULARITY_WEIGHTS

    def measure() -> dict[str, float]:
        nonlocal weights
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
        best, found = sample.measure(taste, vectors, weights)
        place = POPULARITY_WEIGHTS.index(best)
        weights = POPULARITY_WEIGHTS[max(0, place - 1) : place + 2]
        return found

    return measure


def build(
    data: TrainingData, config: RetrievalConfig, static_shapes: bool = False
) -> RetrievalModel:
    """The untrained model, sized by the data."""
    chosen = data.train.own & data.train.positive & (data.train.item_index > 0)
    counts = np.bincount(data.train.item_index[chosen], minlength=data.catalogue.size + 1)
    features = data.dataset.features
    query = QueryTower(
        data.timelines_graph.vocabulary_size_by_name(USER_VOCABULARY),
        encoded(features.users, timeline.user, data.timelines_graph),
        encoded(features.context, timeline.context, data.timelines_graph),
        config,
    )
    candidate = CandidateTower(
        data.catalogue, encoded(features.items, timeline.item, data.items_graph), counts > 0, config
    )
    return RetrievalModel(query, candidate, counts / counts.sum(), config, static_shapes)


def item_vectors(tower: CandidateTower, size: int) -> np.ndarray:
    """[size + 1, dim] vectors of all items, row 0 zero."""
    parts = [
        tf.cast(tower(tf.range(part.start, part.stop), training=False), tf.float32).numpy()
        for part in ranked_lists.slices(size + 1, 4096)
    ]
    vectors = np.concatenate(parts)
    vectors[0] = 0.0
    return vectors


def query_vectors(encode: Encode, asked: Questions, length: int) -> np.ndarray:
    """[q, dim + 1] vectors of the askers at their moment."""
    return np.concatenate(
        [
            encode({k: tf.constant(v) for k, v in asked.batch(part, length).items()})[:, -1].numpy()
            for part in ranked_lists.slices(len(asked))
        ]
    )


def weigh_popularity(
    module: QueryModule,
    asked: Questions,
    vectors: np.ndarray,
    data: TrainingData,
    config: RetrievalConfig,
) -> tuple[float, float]:
    """The weight of present popularity with the best NDCG@10 on the questions, and that NDCG@10."""
    counts = data.clock(data.train).counts(asked.now, config.popularity_days)
    stood = np.column_stack([vectors, popularity.log_popularity(counts)])
    queries = query_vectors(_traced(module), asked, config.history_length)
    found = {}
    for weight in POPULARITY_WEIGHTS:
        queries[:, -1] = weight
        lists = ranked_lists.nearest(queries, stood, asked.seen, 100)
        found[weight] = metrics.summary(lists, asked.answers, data.catalogue.size)["ndcg@10"]
    best = max(found, key=lambda weight: found[weight])
    return best, found[best]


def _traced(module: QueryModule) -> Encode:
    return tf.function(module.encode, reduce_retracing=True)


def _query_module(
    model: RetrievalModel,
    vectors: np.ndarray,
    weight: float,
    data: TrainingData,
    config: RetrievalConfig,
) -> QueryModule:
    return QueryModule(
        model.query_tower,
        vectors,
        weight,
        config.temperature,
        config.history_length,
        data.dataset,
        (data.items_graph, data.timelines_graph),
    )


def _any_batch(data: TrainingData, config: RetrievalConfig) -> windows.Batch:
    cuts = windows.cut(data.train, config.history_length)
    return windows.pad(data.train, cuts, np.arange(1))


def _save_candidates(
    vectors: np.ndarray, sample: np.ndarray, data: TrainingData, config: RetrievalConfig, uri: str
) -> None:
    known = data.clock(data.train, data.valid)
    everything = data.clock(data.train, data.valid, data.test)
    days = config.popularity_days
    now = popularity.log_popularity(everything.counts(everything.end, days))
    at_test = popularity.log_popularity(known.counts(data.moment(data.test), days))
    candidates.save(
        candidates.Candidates(
            item_ids=data.catalogue.item_ids[1:],
            titles=data.catalogue.titles[1:],
            vectors=np.column_stack([vectors, now]).astype(np.float32)[1:],
            log_popularity_at_test=at_test[1:],
            sample_queries=sample,
        ),
        uri,
    )
