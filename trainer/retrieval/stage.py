"""The retrieval stage, from transformed data to query SavedModels and candidate vectors."""

import dataclasses
import logging
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import tensorflow as tf

from schema import candidates, refresh_inputs
from trainer import candidate_export, learned_weights
from trainer.candidate_export import CandidateModule
from trainer.config.models import RetrievalConfig
from trainer.data import evaluation_queries as questions
from trainer.data import popularity, recent_events, sufficient_data, windows
from trainer.data.evaluation_queries import Questions
from trainer.data.popularity import PopularityClock
from trainer.data.training_data import TrainingData
from trainer.metrics import ranking as metrics
from trainer.metrics import top_k as ranked_lists
from trainer.retrieval import build as retrieval_fitting
from trainer.retrieval import export as query_export
from trainer.retrieval.build import item_vectors
from trainer.retrieval.export import QueryModule
from trainer.retrieval.model import RetrievalModel
from trainer.retrieval.warm_start import WarmStart
from trainer.training import checkpoints as training_state
from trainer.training import tensorboard
from trainer.training.distribution import Hardware

SAMPLE_QUERIES = 1000
Encode = Callable[[dict[str, tf.Tensor]], tf.Tensor]
_log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Outputs:
    """Where a query model and its candidates are written."""

    model_uri: str
    candidates_uri: str


def train(
    data: TrainingData,
    config: RetrievalConfig,
    seed: int,
    held_out: Outputs,
    final: Outputs,
    log_dir: str,
    checkpoints: str | None = None,
    hardware: Hardware | None = None,
    begun: WarmStart | None = None,
) -> dict[str, float]:
    """Trains on train, stops by valid, and writes that model as `held_out`, which has not seen
    valid; then learns train and valid together for `refit_epochs` and writes `final`. Begins from
    the weights of `begun`, for `warm_epochs`, where they are given.

    Goes on from what an interrupted training has left in the folder `checkpoints` (beside the model
    without one), which must belong to this data and configuration; it is removed in the end. Of
    several workers' processes one writes. Returns what was measured on valid.
    """
    sufficient_data.require(data)
    hardware = hardware or Hardware()
    checkpoints = checkpoints or f"{held_out.model_uri}.checkpoints"
    asked = questions.ask(data.valid, data.moment(data.valid))
    passes = config.epochs if begun is None else config.warm_epochs
    config = config.model_copy(update={"epochs": passes})
    measured, model = chosen(data, asked, config, seed, log_dir, checkpoints, hardware, begun)
    if hardware.writes:
        write(model, asked, data, config, held_out)
        if config.warm_start:  # what has learned valid could not be chosen by the next run's
            before = 0 if begun is None else begun.learned_until
            learned_weights.save(learned_weights.of(model, data, before), final.candidates_uri)
    model = retrieval_fitting.refitted(model, data, config, seed, hardware)
    if hardware.writes:
        vectors = write(model, asked, data, config, final)
        _save_refreshing(model, data, config, final.candidates_uri)
        taken = data.clock(data.train).counts(data.moment(data.valid))
        tensorboard.write_projector(data.catalogue.titles[1:], vectors[1:], taken[1:], log_dir)
        training_state.remove(checkpoints)
    _log.info("retrieval trained valid_ndcg@10=%.4f", measured["valid_ndcg@10"])
    return measured


def chosen(
    data: TrainingData,
    asked: Questions,
    config: RetrievalConfig,
    seed: int,
    log_dir: str,
    checkpoints: str,
    hardware: Hardware,
    begun: WarmStart | None = None,
) -> tuple[dict[str, float], RetrievalModel]:
    """What was measured on those `asked`, valid's users, and the model that has not learned
    valid.
    """
    tf.keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    history, model = retrieval_fitting.held_out(
        data, asked, config, seed, log_dir, checkpoints, hardware, begun
    )
    lists = listed(model, asked, data.clock(data.train), data, config)
    found = metrics.summary(lists, asked.answers, data.catalogue.size)
    return {f"valid_{name}": value for name, value in found.items()} | {
        "popularity_weight": model.popularity_weight,
        "epochs": len(history["loss"]),
        "loss": history["loss"][-1],
        "valid_loss": min(history["val_loss"]),
    }, model


def listed(
    model: RetrievalModel,
    asked: Questions,
    clock: PopularityClock,
    data: TrainingData,
    config: RetrievalConfig,
) -> np.ndarray:
    """[q, 100] the best unseen items for those asked, popularity being what `clock` knows."""
    vectors = item_vectors(model.candidate_tower, data.catalogue.size)
    module = _query_module(model, vectors, data, config)
    queries = query_vectors(_traced(module), asked, config.history_length)
    votes = clock.votes(asked.now, config.popularity_days)
    stood = np.column_stack([vectors, popularity.log_popularity(votes)])
    return ranked_lists.nearest(queries, stood, asked.seen, 100)


def write(
    model: RetrievalModel,
    asked: Questions,
    data: TrainingData,
    config: RetrievalConfig,
    outputs: Outputs,
) -> np.ndarray:
    """Both artifacts; `asked` are the users whose queries an index is measured by.

    Returns the vectors [n + 1, dim] of all items.
    """
    vectors = item_vectors(model.candidate_tower, data.catalogue.size)
    module = _query_module(model, vectors, data, config)
    query_export.save(module, windows.one(data.train, config.history_length), outputs.model_uri)
    sample = query_vectors(_traced(module), asked, config.history_length, SAMPLE_QUERIES)
    _save_candidates(vectors, sample, data, config, outputs.candidates_uri)
    return vectors


def query_vectors(
    encode: Encode, asked: Questions, length: int, most: int | None = None
) -> np.ndarray:
    """[q, dim + 1] vectors of the askers at their moment, of the first `most` of them if given."""
    users = len(asked) if most is None else min(most, len(asked))
    return np.concatenate(
        [
            encode({k: tf.constant(v) for k, v in asked.batch(part, length).items()})[:, -1].numpy()
            for part in ranked_lists.slices(users)
        ]
    )


def _traced(module: QueryModule) -> Encode:
    return tf.function(module.encode, reduce_retracing=True)


def _query_module(
    model: RetrievalModel,
    vectors: np.ndarray,
    data: TrainingData,
    config: RetrievalConfig,
) -> QueryModule:
    return QueryModule(
        model.query_tower,
        vectors,
        model.popularity_weight,
        config.temperature,
        config.history_length,
        data.dataset,
        (data.items_graph, data.timelines_graph),
    )


def _save_candidates(
    vectors: np.ndarray, sample: np.ndarray, data: TrainingData, config: RetrievalConfig, uri: str
) -> None:
    known = data.clock(data.train, data.valid)
    days = config.popularity_days
    now = popularity.log_popularity(data.served_votes(days))
    at_test = popularity.log_popularity(known.votes(data.moment(data.test), days))
    candidates.save(
        candidates.Candidates(
            item_ids=candidates.to_text_array(data.catalogue.item_ids[1:]),
            titles=candidates.to_text_array(data.catalogue.titles[1:]),
            vectors=np.column_stack([vectors, now]).astype(np.float32)[1:],
            log_popularity_at_test=at_test[1:],
            sample_queries=sample,
            available=_items(data.catalogue.available),
            filters=_items(data.catalogue.filters),
        ),
        uri,
    )


def _items(values: pa.Array | None) -> pa.Array | None:
    """Without the unknown item's row."""
    return None if values is None else values[1:]


def _save_refreshing(
    model: RetrievalModel, data: TrainingData, config: RetrievalConfig, uri: str
) -> None:
    splits = [data.train, data.valid, data.test]
    ids = data.catalogue.item_ids
    recent = recent_events.table(splits, ids, data.end, config.popularity_days)
    refresh_inputs.save(data.dataset, recent, uri)
    tower = CandidateModule(model.candidate_tower, data.dataset, data.items_graph)
    candidate_export.save(tower, refresh_inputs.locate_tower(uri))
