"""The ranking stage, from transformed data and the retrieval model to a ranking SavedModel."""

import logging
from typing import Any

import numpy as np
import tensorflow as tf

from schema import candidates, timeline
from trainer import label_calibration
from trainer.config.models import RankingConfig, RetrievalConfig
from trainer.data import sufficient_data
from trainer.data.popularity import PopularityClock
from trainer.data.preprocessing import USER_VOCABULARY
from trainer.data.training_data import TrainingData
from trainer.halves import halves
from trainer.layers.features import encoded
from trainer.ranking import bias_baseline
from trainer.ranking import examples as ranking_examples
from trainer.ranking import export as ranking_export
from trainer.ranking import labels as label_values
from trainer.ranking import serving_order as ranking_verdict
from trainer.ranking import training as ranking_training
from trainer.ranking.examples import RankingExamples
from trainer.ranking.export import RankingModule
from trainer.ranking.inputs import Moments, encoder
from trainer.ranking.model import RankingModel
from trainer.ranking.network import RankedItems, RankingNetwork
from trainer.training import checkpoints as training_state
from trainer.training.distribution import Hardware

_SAMPLE = 8192
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
    learned from; the later part stops the training, calibrates and decides. Goes on from what an
    interrupted training has left in `checkpoints`. It runs on one device whatever the strategy, in
    float32: `RankingConfig.max_events` bounds what it learns from.
    """
    tf.keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    checkpoints = checkpoints or f"{model_uri}.checkpoints"
    query = tf.saved_model.load(query_uri)
    items = _items(candidates_uri, data.clock(data.train))
    moments = _moments(data, query, items, retrieval)
    earlier, later = halves(data.valid, data.has_clock)
    rng = np.random.default_rng(seed)
    contested = ranking_examples.contested(earlier, moments, config, rng)
    labelled = ranking_examples.labelled(data.train, moments, config.max_events)
    held_out = ranking_examples.contested(later, moments, config, rng)
    for examples, half in ((contested, "first"), (held_out, "second")):
        sufficient_data.require_returned(len(examples), config.candidates, half)
    model = _model(data, items, contested, config)
    learned = _balanced(labelled, contested)
    history = ranking_training.fit(
        model, learned, held_out, config, seed, log_dir, checkpoints, hardware or Hardware()
    )
    module = _module(model, data, ranking_examples.labelled(later, moments), contested)
    asked = ranking_verdict.repeatedly(later, data.has_clock, data.moment(later))
    verdict = ranking_verdict.measure(module, asked, query, moments, config)
    model.network.take(_items(served_uri, data.clock(data.train, data.valid)))
    ranking_export.save(module, model_uri)
    ranking_verdict.write(verdict, model_uri)
    training_state.remove(checkpoints)
    measured = verdict.measures()
    _log.info("ranking trained %s", " ".join(f"{k}={v:.4f}" for k, v in measured.items()))
    return measured | {"valid_loss": min(history["val_loss"]), "loss": history["loss"][-1]}


def _balanced(labelled: RankingExamples, contested: RankingExamples) -> list[RankingExamples]:
    """Both, the contested ones so often that they are a tenth of what an epoch learns from.

    There are few of them beside all labels of train, which would else be learned by heart before
    the order is learned at all: Adam moves as far for either.
    """
    times = max(1, round(len(labelled) / (9 * len(contested))))
    return [labelled] * bool(len(labelled)) + [contested] * times


def _items(uri: str, learned: PopularityClock) -> RankedItems:
    """The candidates at `uri`, whose towers have learned what `learned` counts."""
    vectors = np.pad(candidates.load(uri).vectors[:, :-1], [(1, 0), (0, 0)])
    return RankedItems(vectors, learned.counts() > 0)


def _moments(
    data: TrainingData, query: Any, items: RankedItems, retrieval: RetrievalConfig
) -> Moments:
    """Without a clock valid's own events may not be counted: what stands before an event in time is
    no secret, but nothing here stands before it.
    """
    if data.has_clock:
        known = data.clock(data.train, data.valid)
        return Moments(encoder(query), items.vectors, known, retrieval)
    return Moments(
        encoder(query),
        items.vectors,
        data.clock(data.train),
        retrieval,
        popular_at=data.moment(data.valid),
        has_clock=False,
    )


def _model(
    data: TrainingData, items: RankedItems, contested: RankingExamples, config: RankingConfig
) -> RankingModel:
    """Untrained, its features standardised by a sample of `contested`."""
    labels = label_values.learnable(data)
    baselines = {name: bias_baseline.of_training(data, name, labels[name]) for name in labels}
    users = data.timelines_graph.vocabulary_size_by_name(USER_VOCABULARY)
    context = encoded(data.dataset.features.context, timeline.name_context, data.timelines_graph)
    network = RankingNetwork(items, users, context, labels, baselines, config)
    sample = np.unique(np.linspace(0, len(contested) - 1, _SAMPLE).astype(int))
    network.adapt({n: tf.constant(values[sample]) for n, values in contested.inputs().items()})
    return RankingModel(network, labels, baselines)


def _module(
    model: RankingModel, data: TrainingData, held_out: RankingExamples, example: RankingExamples
) -> RankingModule:
    """Calibrated by `held_out`; the inputs of any `example` fix the signature."""
    labels = label_values.learnable(data)
    calibration = label_calibration.fit(model.network, labels, held_out)
    return RankingModule(model.network, labels, calibration, example.inputs())
