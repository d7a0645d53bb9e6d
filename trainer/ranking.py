"""The ranking stage, from transformed data and the retrieval model to a ranking SavedModel."""

import dataclasses
import json
import logging
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from schema import candidates
from trainer import (
    bias_baseline,
    metrics,
    popularity,
    ranked_lists,
    ranking_examples,
    ranking_export,
    replica_batches,
    tensorboard,
    training_state,
    two_stages,
)
from trainer.config import RankingConfig, RetrievalConfig
from trainer.epoch_measures import EpochMeasures, Progress
from trainer.finite_loss import FiniteLoss
from trainer.preprocessing import USER_VOCABULARY
from trainer.questions import Questions, ask
from trainer.ranking_examples import Moments, RankingExamples
from trainer.ranking_model import RankingModel, RankingNetwork
from trainer.retrieval import query_vectors
from trainer.sparse_adam import SparseAdam
from trainer.strategy import Hardware
from trainer.timelines import Timelines, from_moment
from trainer.training_data import TrainingData
from trainer.training_state import TrainingState
from trainer.windows import Batch

VERDICT = "ranking.json"
_PATIENCE = 2
_log = logging.getLogger(__name__)


def train(
    data: TrainingData,
    query_uri: str,
    candidates_uri: str,
    served_uri: str,
    retrieval: RetrievalConfig,
    config: RankingConfig,
    seed: int,
    model_uri: str,
    log_dir: str,
    checkpoints: str | None = None,
    hardware: Hardware | None = None,
) -> dict[str, float]:
    """Writes the SavedModel, and whether ranking's order is better than retrieval's.

    It learns from a query model and candidates that have not learned valid, and ends with the
    vectors of the candidates at `served_uri`, which have and which it will be asked about.
    Labels are learned from train; the order from the earlier part of valid, which retrieval has not
    learned from; the later part stops the training and decides. Goes on from what an interrupted
    training has left in `checkpoints`. It runs on one device whatever the strategy, in float32:
    `RankingConfig.max_events` bounds what it learns from.
    """
    hardware = hardware or Hardware()
    checkpoints = checkpoints or f"{model_uri}.checkpoints"
    tf.keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    query = tf.saved_model.load(query_uri)
    vectors = _item_vectors(candidates_uri)
    moments = Moments(encoder(query), vectors, data.clock(data.train, data.valid), retrieval)
    earlier, later = halves(data.valid)
    rng = np.random.default_rng(seed)
    learned = [
        ranking_examples.labelled(data.train, moments, config),
        ranking_examples.contested(earlier, moments, config, rng),
    ]
    labels = data.dataset.labels.ranking
    users = data.timelines_graph.vocabulary_size_by_name(USER_VOCABULARY)
    baselines = {name: bias_baseline.of_training(data, name, labels[name]) for name in labels}
    network = RankingNetwork(vectors, users, labels, baselines, config)
    network.adapt(_batches(learned[1], config.max_events)[0])
    model = RankingModel(network, labels, baselines)
    held_out = ranking_examples.contested(later, moments, config, rng)
    history = fit(model, learned, held_out, config, seed, log_dir, checkpoints, hardware)
    module = ranking_export.RankingModule(network, labels, vectors.shape[1])
    quality = _two_stages(module, later, data.moment(later), query, moments, config)
    network.take(_item_vectors(served_uri))
    ranking_export.save(module, model_uri)
    _write_verdict(quality, model_uri)
    training_state.remove(checkpoints)
    _log.info("ranking trained %s", " ".join(f"{k}={v:.4f}" for k, v in quality.items()))
    return quality | {"valid_loss": min(history["val_loss"]), "loss": history["loss"][-1]}


def _item_vectors(uri: str) -> np.ndarray:
    """[n + 1, dim], row 0 zero."""
    return np.pad(candidates.load(uri).vectors[:, :-1], [(1, 0), (0, 0)])


def halves(split: Timelines) -> tuple[Timelines, Timelines]:
    """Own events before, and from, their median time; the later half knows the earlier one.

    Where no event is before it, as in sequences without a clock, every second timeline's.
    """
    middle = int(np.median(split.timestamps[split.own]))
    before = split.timestamps < middle
    if not (split.own & before).any():
        even = split.rows % 2 == 0
        return _positive_where(split, even), _positive_where(split, ~even)
    return _positive_where(split, split.own & before), from_moment(split, middle)


def _positive_where(split: Timelines, chosen: np.ndarray) -> Timelines:
    return dataclasses.replace(split, positive=split.positive & chosen)


def fit(
    model: RankingModel,
    learned: list[RankingExamples],
    held_out: RankingExamples,
    config: RankingConfig,
    seed: int,
    log_dir: str,
    checkpoints: str,
    hardware: Hardware,
) -> dict[str, list[float]]:
    """Stops early by the loss of the held-out examples; keeps the best weights, and goes on after
    the last epoch that `checkpoints` holds.
    """
    batches = [batch for examples in learned for batch in _batches(examples, config.batch_size)]
    held = _batches(held_out, config.batch_size)
    model.compile(optimizer=SparseAdam(config.learning_rate), jit_compile=hardware.xla)
    model.compute_loss({name: tf.constant(values) for name, values in batches[0].items()})
    state = TrainingState(model, checkpoints, "val_loss", "min", _PATIENCE)
    done = state.restore()
    training = replica_batches.dataset(lambda n: _shuffled(batches, seed, n), done, Hardware())
    if not state.stopped:
        tensorboard.write_graph(model, training, log_dir)
        tensorboard.write_hyper_parameters(config.model_dump(), log_dir, ("loss",))
        model.fit(
            training,
            steps_per_epoch=len(batches),
            initial_epoch=done,
            epochs=config.epochs,
            validation_data=replica_batches.dataset(lambda _: iter(held), 0, Hardware()),
            validation_steps=len(held),
            verbose=0,
            callbacks=[
                FiniteLoss(),
                EpochMeasures(sum(len(examples) for examples in learned), dict),
                state,
                tensorboard.scalars(log_dir, hardware.profile),
                Progress(config.epochs, "loss", "val_loss"),
            ],
        )
    state.restore_best()
    return state.history


def _shuffled(batches: list[Batch], seed: int, epoch: int) -> Iterator[Batch]:
    order = np.random.default_rng([seed, epoch]).permutation(len(batches))
    return (batches[place] for place in order)


def encoder(query: Any) -> ranking_examples.Encoder:
    """numpy in, numpy out, around the `positions` of a loaded query model."""

    def encode(batch: Batch) -> np.ndarray:
        return query.positions({k: tf.constant(v) for k, v in batch.items()}).numpy()

    return encode


def _batches(examples: RankingExamples, size: int) -> list[Batch]:
    """Slices of all arrays. They come in order of time: neighbours share a day."""
    arrays = {
        "query": examples.query,
        "user_index": examples.user_index,
        "candidates": examples.candidates,
        "log_popularity": examples.log_popularity,
    }
    arrays |= {f"label_{name}": values for name, values in examples.labels.items()}
    return [
        {name: values[part] for name, values in arrays.items()}
        for part in ranked_lists.slices(len(examples), size)
    ]


def _two_stages(
    module: Any,
    split: Timelines,
    moment: int,
    query: Any,
    moments: Moments,
    config: RankingConfig,
) -> dict[str, float]:
    """NDCG@10 of retrieval's lists, and after ranking, asked at `moment`."""
    asked = ask(split, moment)
    votes = moments.clock.votes(asked.now, moments.config.popularity_days)
    present = popularity.log_popularity(votes)
    queries = query_vectors(query.positions, asked, moments.config.history_length)
    stood = np.column_stack([moments.vectors, present])
    lists = ranked_lists.nearest(queries, stood, asked.seen, max(100, config.candidates))
    final = two_stages.reranked(lists, queries, asked, present, scorer(module), config.candidates)
    return {
        "valid_retrieval_ndcg@10": _ndcg(lists, asked),
        "valid_ranking_ndcg@10": _ndcg(final, asked),
    }


def _ndcg(lists: np.ndarray, asked: Questions) -> float:
    return metrics.summary(lists, asked.answers, 1)["ndcg@10"]


def scorer(module: Any) -> two_stages.Score:
    """numpy in, numpy out, around a ranking module, trained or loaded."""

    def score(*inputs: np.ndarray) -> dict[str, np.ndarray]:
        query, user, index, present = inputs
        outputs = module.score(
            tf.constant(query, tf.float32),
            tf.constant(user, tf.int32),
            tf.constant(index, tf.int32),
            tf.constant(present, tf.float32),
        )
        return {name: values.numpy() for name, values in outputs.items()}

    return score


def served_order(model_uri: str) -> str:
    """`ranking` or `retrieval`: whose order pays, as training measured it on valid."""
    with tf.io.gfile.GFile(f"{model_uri}/assets.extra/{VERDICT}") as file:
        return json.load(file)["order"]


def _write_verdict(quality: dict[str, float], model_uri: str) -> None:
    pays = quality["valid_ranking_ndcg@10"] > quality["valid_retrieval_ndcg@10"]
    folder = f"{model_uri}/assets.extra"
    tf.io.gfile.makedirs(folder)
    with tf.io.gfile.GFile(f"{folder}/{VERDICT}", "w") as file:
        json.dump({"order": "ranking" if pays else "retrieval"} | quality, file)
