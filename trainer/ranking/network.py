"""The ranking network: DCN-v2 over query, candidate and their crosses, with one head per label."""

import dataclasses

import numpy as np
import tensorflow as tf
import tensorflow_recommenders as tfrs

from schema import signatures, timeline
from schema.labels import RankingLabel
from schema.signatures import RELEVANCE
from trainer.config.models import RankingConfig
from trainer.data.transition_table import TransitionTable
from trainer.layers.features import (
    FeatureEncoder,
    FeatureSpec,
    Standardisation,
    encode_time_of_week,
)
from trainer.ranking.bias_baseline import BiasBaseline, BiasLayer
from trainer.ranking.history_features import RecentSimilarity, count_occurrences
from trainer.ranking.relevance_start import RelevanceStart
from trainer.ranking.transition_features import TransitionScores

_PROJECTION = 32
_CONTEXT_WIDTH = 8
RankingInputs = dict[str, tf.Tensor]


@dataclasses.dataclass(frozen=True)
class RankingItems:
    """Item vectors of retrieval, and what the events that it has learned from say of the items."""

    vectors: np.ndarray
    """[n + 1, dim], row 0 zero."""
    learned: np.ndarray
    """[n + 1] bool: retrieval has learned from events of the item, not only from its content."""
    transitions: TransitionTable
    """Of the same events."""
    can_repeat: bool = False
    """Whether lists may hold items of the history: then how often is a feature."""


class RankingNetwork(tf.keras.Model):
    """Scores every candidate of every query in one call; inputs as in `schema.signatures`.

    Relevance is initially retrieval's score (after `fit_start` a weighted sum of it and that of
    transitions) and each label its bias baseline; training learns corrections to them. Cross
    layers: Wang et al., DCN V2, WWW 2021, low rank.
    Inputs are the query's and the candidate's vectors, their element-wise product, separate id
    embeddings, context and time of week; and for each candidate retrieval's score, popularity,
    similarity to the recent history, whether retrieval has learned it, and, where lists may hold
    items of the history, how often it is in the history. Only relevance, which learns from events
    that the transitions do not count, has their scores as inputs: they would give away to a label,
    which learns from the counted events too, that an event was positive.
    """

    def __init__(
        self,
        items: RankingItems,
        users: int,
        context: list[FeatureSpec],
        labels: dict[str, RankingLabel],
        baselines: dict[str, BiasBaseline],
        config: RankingConfig,
    ):
        """Creates the untrained network.

        Args:
            items: item vectors, which items retrieval has learned, and transitions.
            users: size of the user vocabulary.
            context: context features.
            labels: labels that get a head.
            baselines: by label, the prediction that its head corrects.
            config: hyper-parameters.
        """
        super().__init__(name="ranking_network")
        self._size = len(items.vectors)
        self._can_repeat = items.can_repeat
        self._vectors = tf.Variable(
            items.vectors,
            trainable=False,
            shape=[None, items.vectors.shape[1]],
            name="item_vectors",
        )
        self._learned = tf.Variable(items.learned, trainable=False, name="learned")
        self._identified = tf.constant(items.learned)
        self._biases = {
            name: BiasLayer(baselines[name], label.kind == "binary")
            for name, label in labels.items()
        }
        self._deviations = {name: get_label_scale(labels[name], baselines[name]) for name in labels}
        self._users = tf.keras.layers.Embedding(users + 1, config.id_dim, name="user_id_embedding")
        self._items = tf.keras.layers.Embedding(
            len(items.vectors), config.id_dim, name="item_id_embedding"
        )
        self._context = FeatureEncoder(context, _CONTEXT_WIDTH, name="context_features")
        self._context_names = [feature.name for feature in context]
        self._similarity = RecentSimilarity(name="recent_similarity")
        self._standardise = Standardisation(name="standardise")
        self._transitions = TransitionScores(items.transitions, name="transitions")
        self._standardise_transitions = Standardisation(name="standardise_transitions")
        self._dropout = tf.keras.layers.Dropout(config.dropout)
        self._relevance_start = RelevanceStart(name="relevance_start")
        self._cross = [
            tfrs.layers.dcn.Cross(projection_dim=_PROJECTION, name=f"cross_{i}")
            for i in range(config.cross_layers)
        ]
        self._hidden = [
            tf.keras.layers.Dense(units, activation="relu", name=f"hidden_{i}")
            for i, units in enumerate(config.hidden_units)
        ]
        self._heads = {
            name: tf.keras.layers.Dense(1, kernel_initializer="zeros", name=f"head_{name}")
            for name in (RELEVANCE, *labels)
        }

    def call(self, inputs: RankingInputs, training: bool = False) -> RankingInputs:
        """Inputs -> head: [b, c]. `relevance` and binary labels are logits; regression labels are
        in their own unit.
        """
        numbers, embeddings = self._numbers(inputs), self._embeddings(inputs)
        shape = tf.shape(numbers)
        numbers = self._standardise(tf.reshape(numbers, [-1, numbers.shape[-1]]))
        embeddings = tf.reshape(embeddings, [-1, embeddings.shape[-1]])
        x = self._dropout(tf.concat([numbers, embeddings], axis=-1), training=training)
        crossed = x
        for layer in self._cross:
            crossed = layer(x, crossed)
        for layer in self._hidden:
            crossed = layer(crossed)
        hidden = dict.fromkeys(self._heads, crossed)
        transitions = self._score_transitions(inputs)
        hidden[RELEVANCE] = self._add_transitions(crossed, transitions)
        return {
            name: self._start(name, inputs, transitions)
            + self._deviations.get(name, 1.0) * tf.reshape(head(hidden[name]), shape[:2])
            for name, head in self._heads.items()
        }

    def replace_items(self, items: RankingItems) -> None:
        """Replaces the item vectors by others of the same vector space, and what is known of the
        items.
        """
        self._vectors.assign(items.vectors)
        self._learned.assign(items.learned)
        self._transitions.replace(items.transitions)

    @property
    def item_vectors(self) -> tf.Variable:
        """[n + 1, dim]. More rows may be assigned: items that were added after training are scored
        by their vectors only, like items that retrieval has not learned.
        """
        return self._vectors

    def adapt(self, inputs: RankingInputs) -> None:
        """Fits mean and deviation of every number to a sample of the inputs."""
        is_item = inputs[signatures.CANDIDATES].numpy() > 0
        self._standardise.adapt(self._numbers(inputs).numpy()[is_item])
        transitions = self._score_transitions(inputs).numpy()[is_item]
        self._standardise_transitions.adapt(transitions)

    def fit_start(self, inputs: RankingInputs, weight: np.ndarray | None) -> None:
        """Fits the initial relevance to examples whose column 0 is the positive; `weight` [b] is
        that of each example, None if all are alike.
        """
        is_item = inputs[signatures.CANDIDATES].numpy() > 0
        features = self._start_features(inputs, self._score_transitions(inputs))
        self._relevance_start.fit(features.numpy(), is_item, weight)

    def _numbers(self, inputs: RankingInputs) -> tf.Tensor:
        """[b, c, width] of vectors, moment and crosses."""
        candidate = tf.gather(self._vectors, inputs[signatures.CANDIDATES])
        width = self._vectors.shape[1]
        vector = tf.ensure_shape(inputs[signatures.VECTOR], [None, width + 1])[:, :-1]
        query = tf.concat([vector, encode_time_of_week(inputs[signatures.NOW])], axis=-1)
        query = tf.repeat(query[:, tf.newaxis], tf.shape(candidate)[1], axis=1)
        product = query[..., :width] * candidate
        return tf.concat([query, candidate, product, self._crosses(inputs, product)], axis=-1)

    def _embeddings(self, inputs: RankingInputs) -> tf.Tensor:
        """[b, c, width] of user, context and candidate. They are initially near 0 and are not
        standardised, which would scale random initial values to deviation 1.
        """
        index, user = self._own(inputs[signatures.CANDIDATES]), inputs[signatures.USER_INDEX]
        context = {name: inputs[timeline.name_context(name)] for name in self._context_names}
        query = tf.concat([self._users(user), self._context(context, user)], axis=-1)
        query = tf.repeat(query[:, tf.newaxis], tf.shape(index)[1], axis=1)
        identity = self._items(tf.where(tf.gather(self._identified, index), index, 0))
        return tf.concat([query, identity], axis=-1)

    def _crosses(self, inputs: RankingInputs, product: tf.Tensor) -> tf.Tensor:
        """[b, c, 7] scalar features of each pair of query and candidate; 8 with repeats."""
        index = inputs[signatures.CANDIDATES]
        known = tf.cast(tf.gather(self._learned, self._own(index)), tf.float32)
        scalars = [
            self._retrieval_score(inputs),
            inputs[signatures.LOG_POPULARITY],
            tf.reduce_sum(product, -1),
            known,
        ]
        if self._can_repeat:
            scalars.append(count_occurrences(inputs[signatures.HISTORY_INDEX], index))
        similarity = self._similarity(self._vectors, inputs[signatures.HISTORY_INDEX], index)
        return tf.concat([tf.stack(scalars, axis=-1), similarity], axis=-1)

    def _add_transitions(self, hidden: tf.Tensor, scores: tf.Tensor) -> tf.Tensor:
        """[b * c, width] -> [b * c, width + 2] with the standardised scores of the transitions."""
        scores = self._standardise_transitions(tf.reshape(scores, [-1, scores.shape[-1]]))
        return tf.concat([hidden, scores], axis=-1)

    def _score_transitions(self, inputs: RankingInputs) -> tf.Tensor:
        """[b, c, 2] of each candidate after the latest items of the history."""
        return self._transitions(inputs[signatures.HISTORY_INDEX], inputs[signatures.CANDIDATES])

    def _start_features(self, inputs: RankingInputs, transitions: tf.Tensor) -> tf.Tensor:
        """[b, c, 2] retrieval's score, and that of the transitions from the latest items."""
        return tf.stack([self._retrieval_score(inputs), transitions[..., 0]], axis=-1)

    def _retrieval_score(self, inputs: RankingInputs) -> tf.Tensor:
        """[b, c] as the index computes it: dot product plus weighted log popularity."""
        candidate = tf.gather(self._vectors, inputs[signatures.CANDIDATES])
        query = inputs[signatures.VECTOR]
        product = tf.einsum("bd,bcd->bc", query[:, :-1], candidate)
        return product + query[:, -1:] * inputs[signatures.LOG_POPULARITY]

    def _start(self, name: str, inputs: RankingInputs, transitions: tf.Tensor) -> tf.Tensor:
        """[b, c] the prediction that the head's correction is added to."""
        if name == RELEVANCE:
            return self._relevance_start(self._start_features(inputs, transitions))
        user = inputs[signatures.USER_INDEX][:, tf.newaxis]
        return self._biases[name](user, self._own(inputs[signatures.CANDIDATES]))

    def _own(self, index: tf.Tensor) -> tf.Tensor:
        """[...] indices; 0, the unknown item, for items that were added after training."""
        return tf.where(index < self._size, index, 0)


def get_label_scale(label: RankingLabel, baseline: BiasBaseline) -> float:
    """Scale of the label's loss: the standard deviation for regression, 1 for a logit."""
    return baseline.deviation if label.kind == "regression" else 1.0
