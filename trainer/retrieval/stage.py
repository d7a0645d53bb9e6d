"""The retrieval stage, from transformed data to query SavedModels and candidate vectors."""

import dataclasses
import logging

import numpy as np
import pyarrow as pa
import tensorflow as tf

from schema import candidates, refresh_inputs
from trainer.config.models import RetrievalConfig
from trainer.data.evaluation_queries import EvaluationQueries, build_queries
from trainer.data.popularity import PopularityClock, compute_log_popularity
from trainer.data.recent_events import build_recent_events
from trainer.data.sufficient_data import require_sufficient_data
from trainer.data.training_data import TrainingData
from trainer.data.windows import build_single_batch
from trainer.metrics.ranking import summarise_lists
from trainer.metrics.top_k import rank_nearest
from trainer.retrieval.build import compute_item_vectors
from trainer.retrieval.export import (
    CandidateModule,
    Encode,
    QueryModule,
    encode_queries,
    save_candidate_model,
    save_query_model,
)
from trainer.retrieval.model import RetrievalModel
from trainer.retrieval.training import RetrievalContext, fit_held_out, refit
from trainer.retrieval.warm_start import collect_weights, save_weights
from trainer.training import tensorboard
from trainer.training.checkpoints import remove_checkpoints

SAMPLE_QUERIES = 1000
_log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class RetrievalOutputs:
    """Where a query model and its candidates are written."""

    model_uri: str
    candidates_uri: str


def train_retrieval(
    context: RetrievalContext, held_out: RetrievalOutputs, final: RetrievalOutputs
) -> dict[str, float]:
    """Trains on train with early stopping on valid and writes the model as `held_out`; then trains
    on train and valid together for `refit_epochs` and writes `final`.

    With `warm_start` in the context, training begins from those weights and runs for `warm_epochs`.
    Resumes an interrupted run; its checkpoints are removed at the end. Of several workers only one
    process writes. Returns metrics on valid.
    """
    data, config, hardware = context.data, context.config, context.hardware
    require_sufficient_data(data)
    queries = build_queries(data.valid, data.moment(data.valid), data.repeats)
    if context.warm_start is not None:
        config = config.model_copy(update={"epochs": config.warm_epochs})
        context = dataclasses.replace(context, config=config)
    measured, model = train_without_valid(context, queries)
    if hardware.writes:
        write_artifacts(model, queries, data, config, held_out)
        if config.warm_start:  # the next run's valid must not contain events these weights learned
            _save_learned_weights(model, context, final.candidates_uri)
    model = refit(model, context)
    if hardware.writes:
        vectors = write_artifacts(model, queries, data, config, final)
        _save_refresh_inputs(model, data, config, final.candidates_uri)
        counts = data.clock(data.train).counts(queries.now)
        titles = data.catalogue.titles[1:]
        tensorboard.write_projector(titles, vectors[1:], counts[1:], context.log_dir)
        remove_checkpoints(context.checkpoints)
    _log.info("retrieval trained valid_ndcg@10=%.4f", measured["valid_ndcg@10"])
    return measured


def train_without_valid(
    context: RetrievalContext, queries: EvaluationQueries
) -> tuple[dict[str, float], RetrievalModel]:
    """Metrics on `queries`, those of valid, and the model, which was not trained on valid."""
    tf.keras.utils.set_random_seed(context.seed)
    tf.config.experimental.enable_op_determinism()
    data, config = context.data, context.config
    history, model = fit_held_out(context, queries)
    lists = rank_queries(model, queries, data.clock(data.train), data, config)
    metrics = summarise_lists(lists, queries.relevant, data.catalogue.size)
    return {f"valid_{name}": value for name, value in metrics.items()} | {
        "popularity_weight": model.popularity_weight,
        "epochs": len(history["loss"]),
        "loss": history["loss"][-1],
        "valid_loss": min(history["val_loss"]),
    }, model


def _save_learned_weights(model: RetrievalModel, context: RetrievalContext, uri: str) -> None:
    before = 0 if context.warm_start is None else context.warm_start.learned_until
    save_weights(collect_weights(model, context.data, before), uri)


def rank_queries(
    model: RetrievalModel,
    queries: EvaluationQueries,
    clock: PopularityClock,
    data: TrainingData,
    config: RetrievalConfig,
) -> np.ndarray:
    """[q, 100] the best items for each query, of those that `queries.repeats` allows.

    Args:
        model: the trained model.
        queries: the evaluation queries.
        clock: popularity over the events that may be known.
        data: the catalogue and the Transforms.
        config: the configuration that the model was trained with.
    """
    vectors = compute_item_vectors(model.candidate_tower, data.catalogue.size)
    module = _build_query_module(model, vectors, data, config)
    query_vectors = encode_queries(_trace(module), queries, config.history_length)
    votes = clock.votes(queries.now, config.popularity_days)
    with_popularity = np.column_stack([vectors, compute_log_popularity(votes)])
    return rank_nearest(query_vectors, with_popularity, queries.interacted, 100, queries.repeats)


def write_artifacts(
    model: RetrievalModel,
    queries: EvaluationQueries,
    data: TrainingData,
    config: RetrievalConfig,
    outputs: RetrievalOutputs,
) -> np.ndarray:
    """Writes the query model and its candidates.

    Args:
        model: the trained model.
        queries: evaluation queries; a sample of their vectors is saved to measure the index with.
        data: the catalogue and the Transforms.
        config: the configuration that the model was trained with.
        outputs: where to write.

    Returns:
        The vectors [n + 1, dim] of all items.
    """
    vectors = compute_item_vectors(model.candidate_tower, data.catalogue.size)
    module = _build_query_module(model, vectors, data, config)
    save_query_model(
        module, build_single_batch(data.train, config.history_length), outputs.model_uri
    )
    sample = encode_queries(_trace(module), queries, config.history_length, SAMPLE_QUERIES)
    _save_candidates(vectors, sample, data, config, outputs.candidates_uri)
    return vectors


def _trace(module: QueryModule) -> Encode:
    return tf.function(module.encode, reduce_retracing=True, autograph=False)


def _build_query_module(
    model: RetrievalModel,
    vectors: np.ndarray,
    data: TrainingData,
    config: RetrievalConfig,
) -> QueryModule:
    return QueryModule(
        model.query_tower,
        vectors,
        model.popularity_weight,
        config,
        data.dataset,
        (data.items_graph, data.timelines_graph),
    )


def _save_candidates(
    vectors: np.ndarray, sample: np.ndarray, data: TrainingData, config: RetrievalConfig, uri: str
) -> None:
    known = data.clock(data.train, data.valid)
    days = config.popularity_days
    now = compute_log_popularity(data.served_votes(days))
    at_test = compute_log_popularity(known.votes(data.moment(data.test), days))
    candidates.save(
        candidates.Candidates(
            item_ids=candidates.to_text_array(data.catalogue.item_ids[1:]),
            titles=candidates.to_text_array(data.catalogue.titles[1:]),
            vectors=np.column_stack([vectors, now]).astype(np.float32)[1:],
            log_popularity_at_test=at_test[1:],
            sample_queries=sample,
            available=_drop_unknown(data.catalogue.available),
            filters=_drop_unknown(data.catalogue.filters),
        ),
        uri,
    )


def _drop_unknown(values: pa.Array | None) -> pa.Array | None:
    """`values` without row 0, the unknown item."""
    return None if values is None else values[1:]


def _save_refresh_inputs(
    model: RetrievalModel, data: TrainingData, config: RetrievalConfig, uri: str
) -> None:
    splits = [data.train, data.valid, data.test]
    ids = data.catalogue.item_ids
    recent = build_recent_events(splits, ids, data.end, config.popularity_days)
    refresh_inputs.save(data.dataset, recent, uri)
    tower = CandidateModule(model.candidate_tower, data.dataset, data.items_graph)
    save_candidate_model(tower, refresh_inputs.locate_tower(uri))
