"""The ranking stage, from transformed data and the retrieval model to a ranking SavedModel."""

import dataclasses
import logging
from typing import Any

import numpy as np
import tensorflow as tf

from schema import candidates, timeline
from trainer.config.models import RankingConfig, RetrievalConfig
from trainer.data.popularity import PopularityClock
from trainer.data.popularity_forecast import ItemPopularity, load_forecast
from trainer.data.preprocessing import USER_VOCABULARY
from trainer.data.sufficient_data import require_ranking_examples
from trainer.data.timelines import Timelines, split_halves
from trainer.data.training_data import TrainingData
from trainer.data.transition_table import build_transition_table
from trainer.layers.features import build_feature_specs
from trainer.ranking.bias_baseline import fit_label_baseline
from trainer.ranking.example_weights import fill_weights, weigh_by_propensity
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
from trainer.ranking.training import choose_batch_size, fit_ranking
from trainer.retrieval.artifacts import RetrievalOutputs, has_halfway
from trainer.training.checkpoints import remove_checkpoints
from trainer.training.context import TrainingContext
from trainer.training.distribution import Hardware

_SAMPLE_EXAMPLES = 8192
_log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class RetrievalArtifacts:
    """The outputs of the retrieval stage, and its configuration."""

    held_out: RetrievalOutputs
    """The query model that was not trained on valid, and its candidates."""
    served_uri: str
    """Candidates of the model that was trained on valid too, which ranking scores in serving."""
    config: RetrievalConfig


def train_ranking(
    context: TrainingContext[RankingConfig], retrieval: RetrievalArtifacts, model_uri: str
) -> dict[str, float]:
    """Writes the SavedModel and the selected serving order to `model_uri`; returns metrics on
    valid.

    It trains with a query model and candidates that were not trained on valid, and with the
    transitions of train, and finally replaces vectors and transitions by those of the served
    candidates, and of train and valid. Labels are learned from train, the order from the earlier
    half of valid; the later half is used for early stopping, calibration and the serving order,
    which is chosen with the retrieval model that has learned the earlier half too.
    Resumes an interrupted run; its checkpoints are removed at the end. Training runs on one device
    in float32, regardless of the strategy, since `RankingConfig.max_events` bounds the data.
    """
    tf.keras.utils.set_random_seed(context.seed)
    tf.config.experimental.enable_op_determinism()
    data, config = context.data, context.config
    items = dataclasses.replace(
        _load_items(retrieval.held_out.candidates_uri, data.clock(data.train)),
        can_repeat=data.repeats != "exclude",
    )
    query, state = _load_state(data, retrieval.held_out, items, retrieval.config)
    earlier, later = split_halves(data.valid, data.has_clock)
    listwise, labelled, held_out = _build_examples(context, state, earlier, later)
    model = _build_model(data, items, listwise, config)
    learned = balance_examples(labelled, listwise)
    if not data.has_clock:
        context = _with_enough_steps(context, sum(map(len, learned)))
    history = fit_ranking(model, learned, held_out, _on_one_device(context))
    module = _build_module(model, data, build_labelled_examples(later, state), listwise)
    if has_halfway(retrieval.config, data.has_clock):
        # As in serving: both orders know what retrieval has learned of the days before.
        halfway = retrieval.held_out.halfway
        items = _load_items(halfway.candidates_uri, data.clock(data.train, earlier))
        model.network.replace_items(items)
        query, state = _load_state(data, halfway, items, retrieval.config)
    queries = build_repeated_queries(later, data.has_clock, data.moment(later), data.repeats)
    verdict = measure_orders(module, queries, query, state, config)
    model.network.replace_items(
        _load_items(retrieval.served_uri, data.clock(data.train, data.valid))
    )
    save_ranking_model(module, model_uri)
    write_verdict(verdict, model_uri)
    remove_checkpoints(context.checkpoints)
    measured = verdict.measures()
    _log.info("ranking trained %s", " ".join(f"{k}={v:.4f}" for k, v in measured.items()))
    return measured | {"valid_loss": min(history["val_loss"]), "loss": history["loss"][-1]}


def _with_enough_steps(
    context: TrainingContext[RankingConfig], events: int
) -> TrainingContext[RankingConfig]:
    size = choose_batch_size(events, context.config.batch_size)
    return dataclasses.replace(context, config=context.config.replace_values(batch_size=size))


def _on_one_device(context: TrainingContext[RankingConfig]) -> TrainingContext[RankingConfig]:
    hardware = Hardware(xla=context.hardware.xla, profile=context.hardware.profile)
    return dataclasses.replace(context, hardware=hardware)


def _build_examples(
    context: TrainingContext[RankingConfig],
    state: RetrievalState,
    earlier: Timelines,
    later: Timelines,
) -> tuple[RankingExamples, RankingExamples, RankingExamples]:
    """Listwise and labelled examples to learn from, and held-out listwise examples."""
    config, rng = context.config, np.random.default_rng(context.seed)
    repeats = context.data.repeats
    listwise = build_listwise_examples(earlier, state, config, rng, repeats)
    labelled = build_labelled_examples(context.data.train, state, config.max_events)
    held_out = build_listwise_examples(later, state, config, rng, repeats)
    for examples, half in ((listwise, "first"), (held_out, "second")):
        require_ranking_examples(len(examples), config.candidates, half)
    if config.propensity_weights:
        propensities = context.data.propensities(context.data.train, context.data.valid)
        listwise = weigh_by_propensity(listwise, earlier, propensities)
        held_out = weigh_by_propensity(held_out, later, propensities)
        labelled = fill_weights(labelled)
    return listwise, labelled, held_out


def _load_items(uri: str, learned: PopularityClock) -> RankingItems:
    """The candidates at `uri`, whose towers have learned the events of `learned`, and the
    transitions of these events.
    """
    vectors = np.pad(candidates.load(uri).vectors[:, :-1], [(1, 0), (0, 0)])
    return RankingItems(vectors, learned.counts() > 0, build_transition_table(learned))


def _load_state(
    data: TrainingData, outputs: RetrievalOutputs, items: RankingItems, retrieval: RetrievalConfig
) -> tuple[Any, RetrievalState]:
    """The query model of `outputs`, whose candidates are `items`, and its state for events of train
    and valid.

    Without a clock valid's events must not be counted in popularity, since none of them is known to
    come before another.
    """
    query, forecast = tf.saved_model.load(outputs.model_uri), load_forecast(outputs.candidates_uri)
    known = (data.train, data.valid) if data.has_clock else (data.train,)
    state = RetrievalState(
        create_encoder(query),
        items.vectors,
        ItemPopularity(data.clock(*known), forecast).compute_log,
        retrieval,
        popular_at=None if data.has_clock else data.moment(data.valid),
        has_clock=data.has_clock,
    )
    return query, state


def _build_model(
    data: TrainingData, items: RankingItems, listwise: RankingExamples, config: RankingConfig
) -> RankingModel:
    """The untrained model, with standardisation fitted to a sample of `listwise`, and without a
    clock also the initial relevance.
    """
    labels = select_learnable(data)
    baselines = {name: fit_label_baseline(data, name, labels[name]) for name in labels}
    users = data.timelines_graph.vocabulary_size_by_name(USER_VOCABULARY)
    context = build_feature_specs(
        data.dataset.features.context, timeline.name_context, data.timelines_graph
    )
    network = RankingNetwork(items, users, context, labels, baselines, config)
    sample = np.unique(np.linspace(0, len(listwise) - 1, _SAMPLE_EXAMPLES).astype(int))
    inputs = {n: tf.constant(values[sample]) for n, values in listwise.inputs().items()}
    network.adapt(inputs)
    if not data.has_clock:
        # With a clock, what is popular at the moment counts more in short lists than in the fit.
        network.fit_start(inputs, None if listwise.weight is None else listwise.weight[sample])
    return RankingModel(network, labels, baselines)


def _build_module(
    model: RankingModel, data: TrainingData, held_out: RankingExamples, example: RankingExamples
) -> RankingModule:
    """The module calibrated on `held_out`; any `example` determines the signature."""
    labels = select_learnable(data)
    calibration = fit_calibration(model.network, labels, held_out)
    return RankingModule(model.network, labels, calibration, example.inputs())
