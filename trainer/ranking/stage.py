"""The ranking stage, from transformed data and the retrieval model to a ranking SavedModel."""

import dataclasses
import logging
from typing import Any

import numpy as np
import tensorflow as tf

from schema import candidates, timeline
from trainer.config.models import RankingConfig, RetrievalConfig
from trainer.data.popularity import PopularityClock
from trainer.data.preprocessing import USER_VOCABULARY
from trainer.data.sufficient_data import require_ranking_examples
from trainer.data.timelines import Timelines, split_halves
from trainer.data.training_data import TrainingData
from trainer.layers.features import build_feature_specs
from trainer.ranking.bias_baseline import fit_label_baseline
from trainer.ranking.examples import (
    RankingExamples,
    balance_examples,
    build_labelled_examples,
    build_listwise_examples,
)
from trainer.ranking.export import RankingModule, fit_calibration, save_ranking_model
from trainer.ranking.inputs import RetrievalState, create_encoder
from trainer.ranking.labels import select_learnable
from trainer.ranking.model import RankingModel
from trainer.ranking.network import RankingItems, RankingNetwork
from trainer.ranking.serving_order import build_repeated_queries, measure_orders, write_verdict
from trainer.ranking.training import fit_ranking
from trainer.training.checkpoints import remove_checkpoints
from trainer.training.context import TrainingContext
from trainer.training.distribution import Hardware

_SAMPLE_EXAMPLES = 8192
_log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class RetrievalArtifacts:
    """What the retrieval stage wrote, and the configuration that it was trained with."""

    query_uri: str
    """SavedModel of the query model that has not learned valid."""
    candidates_uri: str
    """The candidates that belong to it."""
    served_uri: str
    """The candidates that have learned valid, which ranking will score when it is served."""
    config: RetrievalConfig


def train_ranking(
    context: TrainingContext[RankingConfig], retrieval: RetrievalArtifacts, model_uri: str
) -> dict[str, float]:
    """Writes the SavedModel to `model_uri`, with whether ranking's order is better than
    retrieval's; returns metrics on valid.

    It learns from a query model and candidates that have not learned valid, and ends with the
    vectors of the served candidates, which have.
    Labels are learned from train; the order from the earlier part of valid, which retrieval has not
    learned from; the later part stops the training, calibrates and decides. Resumes an interrupted
    training, whose checkpoints are removed at the end. It runs on one device whatever the strategy,
    in float32: `RankingConfig.max_events` bounds what it learns from.
    """
    tf.keras.utils.set_random_seed(context.seed)
    tf.config.experimental.enable_op_determinism()
    data, config = context.data, context.config
    query = tf.saved_model.load(retrieval.query_uri)
    items = _load_items(retrieval.candidates_uri, data.clock(data.train))
    state = _build_state(data, query, items, retrieval.config)
    earlier, later = split_halves(data.valid, data.has_clock)
    listwise, labelled, held_out = _build_examples(context, state, earlier, later)
    model = _build_model(data, items, listwise, config)
    learned = balance_examples(labelled, listwise)
    history = fit_ranking(model, learned, held_out, _on_one_device(context))
    module = _build_module(model, data, build_labelled_examples(later, state), listwise)
    queries = build_repeated_queries(later, data.has_clock, data.moment(later))
    verdict = measure_orders(module, queries, query, state, config)
    model.network.take(_load_items(retrieval.served_uri, data.clock(data.train, data.valid)))
    save_ranking_model(module, model_uri)
    write_verdict(verdict, model_uri)
    remove_checkpoints(context.checkpoints)
    measured = verdict.measures()
    _log.info("ranking trained %s", " ".join(f"{k}={v:.4f}" for k, v in measured.items()))
    return measured | {"valid_loss": min(history["val_loss"]), "loss": history["loss"][-1]}


def _on_one_device(context: TrainingContext[RankingConfig]) -> TrainingContext[RankingConfig]:
    hardware = Hardware(xla=context.hardware.xla, profile=context.hardware.profile)
    return dataclasses.replace(context, hardware=hardware)


def _build_examples(
    context: TrainingContext[RankingConfig],
    state: RetrievalState,
    earlier: Timelines,
    later: Timelines,
) -> tuple[RankingExamples, RankingExamples, RankingExamples]:
    """Listwise ones to learn from, labelled ones to learn from, and listwise ones held out."""
    config, rng = context.config, np.random.default_rng(context.seed)
    listwise = build_listwise_examples(earlier, state, config, rng)
    labelled = build_labelled_examples(context.data.train, state, config.max_events)
    held_out = build_listwise_examples(later, state, config, rng)
    for examples, half in ((listwise, "first"), (held_out, "second")):
        require_ranking_examples(len(examples), config.candidates, half)
    return listwise, labelled, held_out


def _load_items(uri: str, learned: PopularityClock) -> RankingItems:
    """The candidates at `uri`, whose towers have learned what `learned` counts."""
    vectors = np.pad(candidates.load(uri).vectors[:, :-1], [(1, 0), (0, 0)])
    return RankingItems(vectors, learned.counts() > 0)


def _build_state(
    data: TrainingData, query: Any, items: RankingItems, retrieval: RetrievalConfig
) -> RetrievalState:
    """Without a clock valid's own events may not be counted: what stands before an event in time is
    no secret, but nothing here stands before it.
    """
    if data.has_clock:
        known = data.clock(data.train, data.valid)
        return RetrievalState(create_encoder(query), items.vectors, known, retrieval)
    return RetrievalState(
        create_encoder(query),
        items.vectors,
        data.clock(data.train),
        retrieval,
        popular_at=data.moment(data.valid),
        has_clock=False,
    )


def _build_model(
    data: TrainingData, items: RankingItems, listwise: RankingExamples, config: RankingConfig
) -> RankingModel:
    """Untrained, its features standardised by a sample of `listwise`."""
    labels = select_learnable(data)
    baselines = {name: fit_label_baseline(data, name, labels[name]) for name in labels}
    users = data.timelines_graph.vocabulary_size_by_name(USER_VOCABULARY)
    context = build_feature_specs(
        data.dataset.features.context, timeline.name_context, data.timelines_graph
    )
    network = RankingNetwork(items, users, context, labels, baselines, config)
    sample = np.unique(np.linspace(0, len(listwise) - 1, _SAMPLE_EXAMPLES).astype(int))
    network.adapt({n: tf.constant(values[sample]) for n, values in listwise.inputs().items()})
    return RankingModel(network, labels, baselines)


def _build_module(
    model: RankingModel, data: TrainingData, held_out: RankingExamples, example: RankingExamples
) -> RankingModule:
    """Calibrated by `held_out`; the inputs of any `example` fix the signature."""
    labels = select_learnable(data)
    calibration = fit_calibration(model.network, labels, held_out)
    return RankingModule(model.network, labels, calibration, example.inputs())
