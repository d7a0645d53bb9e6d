"""The ranking stage, from transformed data and the retrieval model to a ranking SavedModel."""

import logging
from typing import Any

import numpy as np
import tensorflow as tf

from schema import candidates, timeline
from trainer.config.models import RankingConfig, RetrievalConfig
from trainer.data.popularity import PopularityClock
from trainer.data.preprocessing import USER_VOCABULARY
from trainer.data.sufficient_data import require_ranking_examples
from trainer.data.timelines import split_halves
from trainer.data.training_data import TrainingData
from trainer.layers.features import build_feature_specs
from trainer.ranking.bias_baseline import fit_label_baseline
from trainer.ranking.examples import (
    RankingExamples,
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
from trainer.training.distribution import Hardware

_SAMPLE_EXAMPLES = 8192
_log = logging.getLogger(__name__)


def train_ranking(
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
    learned from; the later part stops the training, calibrates and decides. Goes on from what an
    interrupted training has left in `checkpoints`. It runs on one device whatever the strategy, in
    float32: `RankingConfig.max_events` bounds what it learns from.
    """
    tf.keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    checkpoints = checkpoints or f"{model_uri}.checkpoints"
    query = tf.saved_model.load(query_uri)
    items = _load_items(candidates_uri, data.clock(data.train))
    moments = _build_state(data, query, items, retrieval)
    earlier, later = split_halves(data.valid, data.has_clock)
    rng = np.random.default_rng(seed)
    contested = build_listwise_examples(earlier, moments, config, rng)
    labelled = build_labelled_examples(data.train, moments, config.max_events)
    held_out = build_listwise_examples(later, moments, config, rng)
    for examples, half in ((contested, "first"), (held_out, "second")):
        require_ranking_examples(len(examples), config.candidates, half)
    model = _build_model(data, items, contested, config)
    learned = _balance_examples(labelled, contested)
    history = fit_ranking(
        model, learned, held_out, config, seed, log_dir, checkpoints, hardware or Hardware()
    )
    module = _build_module(model, data, build_labelled_examples(later, moments), contested)
    asked = build_repeated_queries(later, data.has_clock, data.moment(later))
    verdict = measure_orders(module, asked, query, moments, config)
    model.network.take(_load_items(served_uri, data.clock(data.train, data.valid)))
    save_ranking_model(module, model_uri)
    write_verdict(verdict, model_uri)
    remove_checkpoints(checkpoints)
    measured = verdict.measures()
    _log.info("ranking trained %s", " ".join(f"{k}={v:.4f}" for k, v in measured.items()))
    return measured | {"valid_loss": min(history["val_loss"]), "loss": history["loss"][-1]}


def _balance_examples(
    labelled: RankingExamples, contested: RankingExamples
) -> list[RankingExamples]:
    """Both, the contested ones so often that they are a tenth of what an epoch learns from.

    There are few of them beside all labels of train, which would else be learned by heart before
    the order is learned at all: Adam moves as far for either.
    """
    times = max(1, round(len(labelled) / (9 * len(contested))))
    return [labelled] * bool(len(labelled)) + [contested] * times


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
    data: TrainingData, items: RankingItems, contested: RankingExamples, config: RankingConfig
) -> RankingModel:
    """Untrained, its features standardised by a sample of `contested`."""
    labels = select_learnable(data)
    baselines = {name: fit_label_baseline(data, name, labels[name]) for name in labels}
    users = data.timelines_graph.vocabulary_size_by_name(USER_VOCABULARY)
    context = build_feature_specs(
        data.dataset.features.context, timeline.name_context, data.timelines_graph
    )
    network = RankingNetwork(items, users, context, labels, baselines, config)
    sample = np.unique(np.linspace(0, len(contested) - 1, _SAMPLE_EXAMPLES).astype(int))
    network.adapt({n: tf.constant(values[sample]) for n, values in contested.inputs().items()})
    return RankingModel(network, labels, baselines)


def _build_module(
    model: RankingModel, data: TrainingData, held_out: RankingExamples, example: RankingExamples
) -> RankingModule:
    """Calibrated by `held_out`; the inputs of any `example` fix the signature."""
    labels = select_learnable(data)
    calibration = fit_calibration(model.network, labels, held_out)
    return RankingModule(model.network, labels, calibration, example.inputs())
