"""The two towers: an item's vector, of length 1, and a user's vector at a moment, whose length says
how much is known of the user.
"""

import tensorflow as tf

from schema import timeline
from trainer.config.models import RetrievalConfig
from trainer.data.catalogue import Catalogue
from trainer.data.preprocessing import ITEM_VOCABULARY, USER_VOCABULARY
from trainer.layers.attention import AttentionHistory, compute_log_gaps, count_known_before
from trainer.layers.features import FeatureEncoder, FeatureSpec, encode_time_of_week
from trainer.retrieval.taste_strength import TasteStrength, find_present, measure_history

_FEATURE_WIDTH = 32


class CandidateTower(tf.keras.Model):
    """Item index [n] -> vector [n, dim], from the item's id and its content.

    Ids without training interactions, and in training a random share of the others, use the
    embedding of the unknown id, so that the model learns to compute vectors from content alone.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        features: list[FeatureSpec],
        trained: tf.Tensor,
        config: RetrievalConfig,
    ):
        """Creates the untrained tower.

        Args:
            catalogue: content of all items.
            features: item features to encode.
            trained: [n + 1] bool: the item has training interactions.
            config: hyper-parameters.
        """
        super().__init__(name="candidate_tower")
        self._content = {name: tf.constant(values) for name, values in catalogue.features.items()}
        self._trained = tf.constant(trained)
        self._id_dropout = config.id_dropout
        self._ids = tf.keras.layers.Embedding(
            catalogue.size + 1,
            config.embedding_dim,
            name="item_id_embedding",
        )
        self._encoder = FeatureEncoder(features, _FEATURE_WIDTH, name="item_features")
        self._project = tf.keras.layers.Dense(config.embedding_dim, name="item_projection")

    @property
    def tables(self) -> dict[str, tf.keras.layers.Embedding]:
        """Vocabulary -> embedding layer; row n belongs to the vocabulary's n-th value, from 1."""
        features = self._encoder.tables.items()
        return {ITEM_VOCABULARY: self._ids} | {
            timeline.name_item_feature(n): layer for n, layer in features
        }

    def call(self, index: tf.Tensor, training: bool = False) -> tf.Tensor:
        """[n] -> [n, dim]."""
        content = {name: tf.gather(values, index) for name, values in self._content.items()}
        return self.encode_content(index, content, training)

    def encode_content(
        self, index: tf.Tensor, content: dict[str, tf.Tensor], training: bool = False
    ) -> tf.Tensor:
        """[n] -> [n, dim] with `content`, the inputs of `FeatureEncoder` for n items, instead of
        the catalogue's content.
        """
        known = tf.gather(self._trained, index)
        if training:
            known &= tf.random.uniform(tf.shape(index)) >= self._id_dropout
        identity = self._ids(tf.where(known, index, 0))
        return tf.math.l2_normalize(
            identity + self._project(self._encoder(content, index)), axis=-1
        )


class QueryTower(tf.keras.Model):
    """Timelines -> the vector of the user just before each of their events.

    Position p depends on the events before p and on the time and context of p, on nothing later.
    The vector's length is a learned scale, which adapts the temperature to the log. With a
    popularity prior it is multiplied by the strength of the user's taste (see `TasteStrength`):
    with no known event, user id or feature the length is 0, and the order is the prior's.
    """

    def __init__(
        self,
        users: int,
        user_features: list[FeatureSpec],
        context_features: list[FeatureSpec],
        config: RetrievalConfig,
    ):
        """Creates the untrained tower.

        Args:
            users: size of the user vocabulary.
            user_features: features of the user.
            context_features: features of the event's context.
            config: hyper-parameters.
        """
        super().__init__(name="query_tower")
        dim = config.embedding_dim
        self._id_dropout = config.id_dropout
        self._attention = _build_attention(config)
        self._ids = None
        if config.user_ids:
            self._ids = tf.keras.layers.Embedding(
                users + 1, _FEATURE_WIDTH, name="user_id_embedding"
            )
        self._users = FeatureEncoder(user_features, _FEATURE_WIDTH, name="user_features")
        self._context = FeatureEncoder(context_features, _FEATURE_WIDTH, name="context_features")
        self._hidden = tf.keras.layers.Dense(2 * dim, activation="relu", name="query_hidden")
        self._dropout = tf.keras.layers.Dropout(config.dropout)
        self._project = tf.keras.layers.Dense(dim, name="query_projection")
        self._features = user_features, context_features
        self._log_scale = self.add_weight(
            name="taste_log_scale", shape=[], initializer="zeros", dtype=tf.float32
        )
        self._strength = None
        if config.popularity_prior:
            columns = 2 + config.user_ids + len(user_features) + len(context_features)
            self._strength = TasteStrength(columns, name="taste_strength")

    @property
    def tables(self) -> dict[str, tf.keras.layers.Embedding]:
        """Vocabulary -> embedding layer, as for the candidate tower."""
        tables = {} if self._ids is None else {USER_VOCABULARY: self._ids}
        tables |= {
            timeline.name_user_feature(name): layer for name, layer in self._users.tables.items()
        }
        return tables | {timeline.name_context(name): t for name, t in self._context.tables.items()}

    def call(
        self, batch: dict[str, tf.Tensor], item_vectors: tf.Tensor, training: bool = False
    ) -> tf.Tensor:
        """`item_vectors` [b, t, dim] of `batch["item_index"]` [b, t] -> [b, t, dim]."""
        known = batch["item_index"] > 0
        gaps = compute_log_gaps(batch["timestamps"], known)
        user = self._hide_ids(batch["user_index"], training)
        history = self._summarise_history(item_vectors, known, gaps, training)
        parts = [history, self._moment(batch, known, gaps), self._user(batch, user)]
        hidden = self._hidden(tf.concat([tf.cast(x, history.dtype) for x in parts], axis=-1))
        taste = tf.math.l2_normalize(
            history + self._project(self._dropout(hidden, training=training)), axis=-1
        )
        length = tf.exp(self._log_scale)
        if self._strength is not None:
            length *= self._strength(self._collect_evidence(batch, known, gaps, user))
        return taste * tf.cast(length, taste.dtype)

    def _summarise_history(
        self, item_vectors: tf.Tensor, known: tf.Tensor, gaps: tf.Tensor, training: bool
    ) -> tf.Tensor:
        """[b, t, dim] the mean of the known items before each position, plus, with attention, what
        their order and times add to it; both have a length of about 1.
        """
        average = tf.cast(average_known_before(item_vectors, known), self.compute_dtype)
        if self._attention is None:
            return average
        attended = self._attention(item_vectors, known, gaps, training=training)
        return average + attended * attended.shape[-1] ** -0.5

    def _hide_ids(self, user: tf.Tensor, training: bool) -> tf.Tensor:
        if not training:
            return user
        return tf.where(tf.random.uniform(tf.shape(user)) >= self._id_dropout, user, 0)

    def _collect_evidence(
        self, batch: dict[str, tf.Tensor], known: tf.Tensor, gaps: tf.Tensor, user: tf.Tensor
    ) -> tf.Tensor:
        """[b, t, columns] what is known of the user before each position."""
        own = [] if self._ids is None else [tf.cast(user > 0, tf.float32)]
        own += [find_present(batch[f"user_{f.name}"], f) for f in self._features[0]]
        steps = tf.shape(known)[1]
        columns = [tf.repeat(present[:, tf.newaxis], steps, axis=1) for present in own]
        columns += [find_present(batch[f"context_{f.name}"], f) for f in self._features[1]]
        history = measure_history(count_known_before(known), gaps)
        return tf.concat([history, *(column[..., tf.newaxis] for column in columns)], axis=-1)

    def _moment(self, batch: dict[str, tf.Tensor], known: tf.Tensor, gaps: tf.Tensor) -> tf.Tensor:
        """[b, t, width] features of the event's moment: time, context, length of the history."""
        count = tf.math.log1p(tf.cast(count_known_before(known), tf.float32))
        context = {f.name: batch[f"context_{f.name}"] for f in self._features[1]}
        parts = [
            tf.stack([count, gaps], axis=-1),
            encode_time_of_week(batch["timestamps"]),
            self._context(context, batch["item_index"]),
        ]
        return tf.concat([tf.cast(part, tf.float32) for part in parts], axis=-1)

    def _user(self, batch: dict[str, tf.Tensor], user: tf.Tensor) -> tf.Tensor:
        """[b, t, width], the same at each position of a timeline."""
        features = self._users({f.name: batch[f"user_{f.name}"] for f in self._features[0]}, user)
        vector = tf.cast(features, self.compute_dtype)
        if self._ids is not None:
            vector = tf.concat([self._ids(user), vector], axis=-1)
        return tf.repeat(vector[:, tf.newaxis], tf.shape(batch["item_index"])[1], axis=1)


def _build_attention(config: RetrievalConfig) -> AttentionHistory | None:
    if config.history == "mean":
        return None
    return AttentionHistory(
        config.embedding_dim,
        config.history_length,
        config.attention_blocks,
        config.attention_heads,
        config.dropout,
        name="history",
    )


def average_known_before(item_vectors: tf.Tensor, known: tf.Tensor) -> tf.Tensor:
    """Mean of the known items' vectors before each position.

    [b, t, dim] and [b, t] bool -> [b, t, dim]; 0 where there is none.
    """
    weight = tf.cast(known, item_vectors.dtype)[..., tf.newaxis]
    total = tf.cumsum(item_vectors * weight, axis=1, exclusive=True)
    return tf.math.divide_no_nan(total, tf.cumsum(weight, axis=1, exclusive=True))
