"""The retrieval stage, from transformed data to trained models and their artifacts."""

import dataclasses
import logging

import numpy as np
import tensorflow as tf

from trainer.config.models import RetrievalConfig
from trainer.data.evaluation_queries import EvaluationQueries, build_queries
from trainer.data.popularity_forecast import ItemPopularity, PopularityForecast
from trainer.data.sufficient_data import require_sufficient_data
from trainer.data.timelines import split_halves
from trainer.data.training_data import TrainingData
from trainer.metrics.ranking import summarise_lists
from trainer.metrics.top_k import rank_nearest
from trainer.retrieval.artifacts import (
    RetrievalOutputs,
    build_query_module,
    has_halfway,
    save_refresh_inputs,
    trace,
    write_artifacts,
)
from trainer.retrieval.automatic import resolve_automatic
from trainer.retrieval.build import compute_item_vectors
from trainer.retrieval.export import encode_queries
from trainer.retrieval.forecast import fit_forecast
from trainer.retrieval.model import RetrievalModel
from trainer.retrieval.training import RetrievalContext, fit_held_out, refit
from trainer.retrieval.warm_start import collect_weights, save_weights
from trainer.training import tensorboard
from trainer.training.checkpoints import find_selected_epoch, remove_checkpoints

_log = logging.getLogger(__name__)


def train_retrieval(
    context: RetrievalContext, held_out: RetrievalOutputs, final: RetrievalOutputs
) -> dict[str, float]:
    """Trains on train with early stopping on valid and writes the model as `held_out`; then trains
    on train and valid together for `refit_epochs` more and writes `final`, and on train and the
    earlier half of valid, for `held_out.halfway`.

    With `warm_start` in the context, training begins from those weights and runs for `warm_epochs`.
    Resumes an interrupted run; its checkpoints are removed at the end. Of several workers only one
    process writes. Returns metrics on valid.
    """
    data, config, hardware = context.data, context.config, context.hardware
    require_sufficient_data(data)
    config = resolve_automatic(config, data)
    queries = build_queries(data.valid, data.moment(data.valid), data.repeats)
    if context.warm_start is not None:
        config = config.model_copy(update={"epochs": config.warm_epochs})
    context = dataclasses.replace(context, config=config)
    measured, model, popularity = train_without_valid(context, queries)
    if hardware.writes:
        write_artifacts(model, queries, data, config, popularity.forecast, held_out)
        if config.warm_start:  # the next run's valid must not contain events these weights learned
            _save_learned_weights(model, context, final.candidates_uri)
    # Ranking and the weight of popularity were learned with this forecast; another one has
    # another scale.
    forecast = popularity.forecast
    epochs = config.refit_epochs if config.refit_epochs != "auto" else int(measured["best_epoch"])
    if has_halfway(config, data.has_clock):
        _write_halfway(model, queries, context, forecast, epochs, held_out.halfway)
    popularity = ItemPopularity(data.clock(data.train, data.valid), forecast)
    model = refit(model, context, popularity, epochs)
    if hardware.writes:
        _write_final(model, queries, context, popularity, final)
        remove_checkpoints(context.checkpoints)
    _log.info("retrieval trained valid_ndcg@10=%.4f", measured["valid_ndcg@10"])
    return measured


def _write_halfway(
    model: RetrievalModel,
    queries: EvaluationQueries,
    context: RetrievalContext,
    forecast: PopularityForecast,
    epochs: int,
    outputs: RetrievalOutputs,
) -> None:
    earlier, _ = split_halves(context.data.valid)
    data = dataclasses.replace(context.data, valid=earlier)
    popularity = ItemPopularity(data.clock(data.train, earlier), forecast)
    fitted = refit(model, dataclasses.replace(context, data=data), popularity, epochs)
    if context.hardware.writes:
        write_artifacts(fitted, queries, data, context.config, forecast, outputs)


def _write_final(
    model: RetrievalModel,
    queries: EvaluationQueries,
    context: RetrievalContext,
    popularity: ItemPopularity,
    outputs: RetrievalOutputs,
) -> None:
    data, config = context.data, context.config
    vectors = write_artifacts(model, queries, data, config, popularity.forecast, outputs)
    save_refresh_inputs(model, data, config, outputs.candidates_uri)
    counts, titles = popularity.clock.counts(queries.now), data.catalogue.titles
    tensorboard.write_projector(titles[1:], vectors[1:], counts[1:], context.log_dir)


def train_without_valid(
    context: RetrievalContext, queries: EvaluationQueries
) -> tuple[dict[str, float], RetrievalModel, ItemPopularity]:
    """Metrics on `queries`, those of valid, and the model and the popularity forecast, which were
    not trained on valid.
    """
    tf.keras.utils.set_random_seed(context.seed)
    tf.config.experimental.enable_op_determinism()
    data, config = context.data, context.config
    popularity = fit_popularity(context)
    history, model = fit_held_out(context, queries, popularity)
    lists = rank_queries(model, queries, popularity, data, config)
    metrics = summarise_lists(lists, queries.relevant, data.catalogue.size)
    metrics = {f"valid_{name}": value for name, value in metrics.items()} | {
        "popularity_weight": model.popularity_weight,
        "epochs": len(history["loss"]),
        "best_epoch": find_selected_epoch(history) + 1,
        "loss": history["loss"][-1],
        "valid_loss": min(history["val_loss"]),
    }
    return metrics, model, popularity


def fit_popularity(context: RetrievalContext) -> ItemPopularity:
    """The popularity over train, with the forecast learned from it."""
    clock, config = context.data.clock(context.data.train), context.config
    forecast = fit_forecast(clock, config.popularity_days, config.refresh_days, context.seed)
    return ItemPopularity(clock, forecast)


def _save_learned_weights(model: RetrievalModel, context: RetrievalContext, uri: str) -> None:
    before = 0 if context.warm_start is None else context.warm_start.learned_until
    save_weights(collect_weights(model, context.data, before), uri)


def rank_queries(
    model: RetrievalModel,
    queries: EvaluationQueries,
    popularity: ItemPopularity,
    data: TrainingData,
    config: RetrievalConfig,
) -> np.ndarray:
    """[q, 100] the best items for each query, of those that `queries.repeats` allows.

    Args:
        model: the trained model.
        queries: the evaluation queries.
        popularity: popularity over the events that may be known.
        data: the catalogue and the Transforms.
        config: the configuration that the model was trained with.
    """
    vectors = compute_item_vectors(model.candidate_tower, data.catalogue.size)
    module = build_query_module(model, vectors, data, config)
    query_vectors = encode_queries(trace(module), queries, config.history_length)
    with_popularity = np.column_stack([vectors, popularity.compute_log(queries.now)])
    return rank_nearest(query_vectors, with_popularity, queries.interacted, 100, queries.repeats)
