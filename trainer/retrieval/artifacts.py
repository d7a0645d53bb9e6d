"""Artifacts of the retrieval stage: query SavedModels, candidate vectors, inputs of a refresh."""

import dataclasses

import numpy as np
import pyarrow as pa
import tensorflow as tf

from schema import candidates, refresh_inputs
from trainer.config.models import RetrievalConfig
from trainer.data.evaluation_queries import EvaluationQueries
from trainer.data.popularity_forecast import PopularityForecast, save_forecast
from trainer.data.recent_events import build_recent_events
from trainer.data.training_data import TrainingData
from trainer.data.windows import build_single_batch
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

SAMPLE_QUERIES = 1000


@dataclasses.dataclass(frozen=True)
class RetrievalOutputs:
    """Where a query model and its candidates are written."""

    model_uri: str
    candidates_uri: str

    @property
    def halfway(self) -> "RetrievalOutputs":
        """Where the model is that has learned the earlier half of valid too, beside the one that
        has learned nothing of valid. It shows on the later half what the served retrieval, which
        has learned all of valid, can do after valid.
        """
        folder = f"{self.candidates_uri}/halfway"
        return RetrievalOutputs(f"{folder}/model", f"{folder}/candidates")


def has_halfway(config: RetrievalConfig, has_clock: bool) -> bool:
    """Whether there is a model halfway through valid: not without a refit, and not without a clock,
    where nothing of valid is earlier.
    """
    return has_clock and config.refit_epochs != 0


def write_artifacts(
    model: RetrievalModel,
    queries: EvaluationQueries,
    data: TrainingData,
    config: RetrievalConfig,
    forecast: PopularityForecast,
    outputs: RetrievalOutputs,
) -> np.ndarray:
    """Writes the query model and its candidates.

    Args:
        model: the trained model.
        queries: evaluation queries; a sample of their vectors is saved to measure the index with.
        data: the catalogue and the Transforms.
        config: the configuration that the model was trained with.
        forecast: the popularity forecast of the model's prior.
        outputs: where to write.

    Returns:
        The vectors [n + 1, dim] of all items.
    """
    vectors = compute_item_vectors(model.candidate_tower, data.catalogue.size)
    module = build_query_module(model, vectors, data, config)
    save_query_model(
        module, build_single_batch(data.train, config.history_length), outputs.model_uri
    )
    sample = encode_queries(trace(module), queries, config.history_length, SAMPLE_QUERIES)
    _save_candidates(vectors, sample, data, forecast, outputs.candidates_uri)
    save_forecast(forecast, outputs.candidates_uri)
    return vectors


def trace(module: QueryModule) -> Encode:
    """The module's `encode` as a graph for batches of any shape."""
    return tf.function(module.encode, reduce_retracing=True, autograph=False)


def build_query_module(
    model: RetrievalModel,
    vectors: np.ndarray,
    data: TrainingData,
    config: RetrievalConfig,
) -> QueryModule:
    """The query module of a trained model with the vectors [n + 1, dim] of the items."""
    return QueryModule(
        model.query_tower,
        vectors,
        model.popularity_weight,
        config,
        data.dataset,
        (data.items_graph, data.timelines_graph),
    )


def _save_candidates(
    vectors: np.ndarray,
    sample: np.ndarray,
    data: TrainingData,
    forecast: PopularityForecast,
    uri: str,
) -> None:
    known = data.clock(data.train, data.valid)
    now = forecast.predict(data.clock(data.train, data.valid, data.test), data.end)
    at_test = forecast.predict(known, data.moment(data.test))
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


def save_refresh_inputs(
    model: RetrievalModel, data: TrainingData, config: RetrievalConfig, uri: str
) -> None:
    """Writes what `tandem refresh` needs besides the candidates; see `schema.refresh_inputs`."""
    splits = [data.train, data.valid, data.test]
    ids = data.catalogue.item_ids
    recent = build_recent_events(splits, ids, data.end, config.popularity_days)
    refresh_inputs.save(data.dataset, recent, uri)
    tower = CandidateModule(model.candidate_tower, data.dataset, data.items_graph)
    save_candidate_model(tower, refresh_inputs.locate_tower(uri))
