"""Causal self-attention over a user's history."""

import tensorflow as tf

_layers = tf.keras.layers


class SelfAttention(_layers.Layer):
    """Causal scaled dot-product attention with a learned bias for each distance.

    Queries and keys [b, s, dim] -> [b, s, dim]: each position attends to itself and to earlier
    positions. A distance, unlike a position, does not depend on where a window was cut. As in
    Raffel et al., Exploring the limits of transfer learning, JMLR 2020, without their buckets:
    distances beyond `length` share one bias.
    """

    def __init__(self, dim: int, length: int, heads: int, dropout: float, **kwargs: object):
        """Creates the projections.

        Args:
            dim: width of queries, keys and output; a multiple of `heads`.
            length: greatest distance with a bias of its own.
            heads: number of attention heads.
            dropout: share of attention weights that training drops.
            **kwargs: arguments of the Keras layer.
        """
        super().__init__(**kwargs)
        self._heads, self._width, self._length = heads, dim // heads, length
        self._query, self._key, self._value, self._output = (
            _layers.Dense(dim, name=name) for name in ("query", "key", "value", "output")
        )
        self._dropout = _layers.Dropout(dropout)

    def build(self, input_shape: tf.TensorShape) -> None:
        """Creates the biases, initially 0: all distances are treated equally."""
        self._bias = self.add_weight(
            "distance_bias", [self._length + 1, self._heads], None, "zeros"
        )
        super().build(input_shape)

    def call(self, queries: tf.Tensor, keys: tf.Tensor, training: bool = False) -> tf.Tensor:
        """[b, s, dim] queries, and [b, s, dim] keys, which are the values too -> [b, s, dim]."""
        query, key = self._split(self._query(queries)), self._split(self._key(keys))
        score = tf.matmul(query, key, transpose_b=True) * self._width**-0.5
        position = tf.range(tf.shape(queries)[1])
        distance = position[:, tf.newaxis] - position
        near = tf.clip_by_value(distance, 0, self._length)
        score += tf.transpose(tf.gather(self._bias, near), [2, 0, 1])
        score = tf.where(distance >= 0, tf.cast(score, tf.float32), -1e9)
        weight = self._dropout(tf.cast(tf.nn.softmax(score), query.dtype), training=training)
        attended = tf.matmul(weight, self._split(self._value(keys)))
        return self._output(tf.reshape(tf.transpose(attended, [0, 2, 1, 3]), tf.shape(queries)))

    def _split(self, values: tf.Tensor) -> tf.Tensor:
        """[b, s, dim] -> [b, heads, s, width]."""
        shape = tf.shape(values)
        parts = tf.reshape(values, [shape[0], shape[1], self._heads, self._width])
        return tf.transpose(parts, [0, 2, 1, 3])


class AttentionBlock(_layers.Layer):
    """One block of causal self-attention and a feed-forward layer, [b, s, dim] -> [b, s, dim].

    Only the queries are normalised before attention, as in Kang and McAuley, Self-attentive
    sequential recommendation, ICDM 2018.
    """

    def __init__(self, dim: int, length: int, heads: int, dropout: float, **kwargs: object):
        """Creates the layers.

        Args:
            dim: width of input and output; a multiple of `heads`.
            length: greatest distance with a bias of its own.
            heads: number of attention heads.
            dropout: share of activations that training drops.
            **kwargs: arguments of the Keras layer.
        """
        super().__init__(**kwargs)
        self._query_norm = _layers.LayerNormalization(epsilon=1e-6, name="attention_norm")
        self._attend = SelfAttention(dim, length, heads, dropout, name="attention")
        self._norm = _layers.LayerNormalization(epsilon=1e-6, name="feed_forward_norm")
        self._hidden = _layers.Dense(dim, activation="relu", name="feed_forward_hidden")
        self._output = _layers.Dense(dim, name="feed_forward_output")
        self._dropout = _layers.Dropout(dropout)

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        """[b, s, dim] -> [b, s, dim]."""
        queries = self._query_norm(inputs)
        middle = self._norm(queries + self._attend(queries, inputs, training=training))
        hidden = self._dropout(self._hidden(middle), training=training)
        return middle + self._dropout(self._output(hidden), training=training)


class AttentionHistory(_layers.Layer):
    """Encodes a user's known events before each position by causal self-attention.

    Position 0 of the sequence is a learned vector for the beginning of a history, and position n is
    the n-th known event: its item's vector plus the time since the known event before it. Unknown
    items and padding are skipped.
    """

    def __init__(
        self, dim: int, length: int, blocks: int, heads: int, dropout: float, **kwargs: object
    ):
        """Distances beyond `length` share one bias. `heads` must divide `dim`.

        Args:
            dim: width of the item vectors and of the output.
            length: greatest distance between events with a bias of its own.
            blocks: number of attention blocks.
            heads: attention heads per block.
            dropout: share of activations that training drops.
            **kwargs: arguments of the Keras layer.
        """
        super().__init__(**kwargs)
        self._dim = dim
        self._gap = _layers.Dense(dim, use_bias=False, name="time_gap")
        self._dropout = _layers.Dropout(dropout)
        self._blocks = [
            AttentionBlock(dim, length, heads, dropout, name=f"block_{number}")
            for number in range(blocks)
        ]
        self._norm = _layers.LayerNormalization(epsilon=1e-6, name="history_norm")

    def build(self, input_shape: tf.TensorShape) -> None:
        """Creates the vector for the beginning of a history."""
        small = tf.keras.initializers.RandomNormal(stddev=0.01)
        self._beginning = self.add_weight("beginning", [self._dim], None, small)
        super().build(input_shape)

    def call(
        self,
        item_vectors: tf.Tensor,
        known: tf.Tensor,
        gaps: tf.Tensor,
        training: bool = False,
    ) -> tf.Tensor:
        """[b, t, dim]: at each position the encoding of the known events before it.

        Args:
            item_vectors: [b, t, dim] vectors of the events' items.
            known: [b, t] bool: the item is in the catalogue.
            gaps: [b, t] as from `compute_log_gaps`.
            training: whether to apply dropout.
        """
        order = order_known_first(known)
        events = tf.gather(item_vectors, order, batch_dims=1)
        events += self._gap(tf.gather(gaps, order, batch_dims=1)[..., tf.newaxis])
        beginning = tf.broadcast_to(self._beginning, tf.shape(events[:, :1]))
        sequence = tf.concat([tf.cast(beginning, events.dtype), events[:, :-1]], axis=1)
        sequence = self._dropout(sequence, training=training)
        for block in self._blocks:
            sequence = block(sequence, training=training)
        return tf.gather(self._norm(sequence), count_known_before(known), batch_dims=1)


def order_known_first(known: tf.Tensor) -> tf.Tensor:
    """[b, t] bool -> [b, t] positions of the known events, then of the others, each in order."""
    return tf.argsort(tf.cast(~known, tf.int32), axis=1, stable=True)


def count_known_before(known: tf.Tensor) -> tf.Tensor:
    """[b, t] bool -> [b, t] int32: number of known events before each position."""
    return tf.cumsum(tf.cast(known, tf.int32), axis=1, exclusive=True)


def compute_log_gaps(timestamps: tf.Tensor, known: tf.Tensor) -> tf.Tensor:
    """[b, t] seconds -> [b, t] log(1 + hours since the previous known event), 0 where there is
    none.

    A log whose timestamps only number the events, one second apart, has gaps of about 0.
    """
    count = count_known_before(known)
    times = tf.gather(timestamps, order_known_first(known), batch_dims=1)
    last = tf.gather(times, tf.maximum(count - 1, 0), batch_dims=1)
    hours = tf.cast(tf.maximum(timestamps - last, 0), tf.float32) / 3600
    return tf.where(count > 0, tf.math.log1p(hours), 0.0)
