"""Histories read by causal self-attention."""

import tensorflow as tf

_layers = tf.keras.layers


class SelfAttention(_layers.Layer):
    """Causal scaled dot-product attention with a learned bias for each distance.

    [b, s, dim] twice -> [b, s, dim]: each place of the first asks itself and what stands before it
    in the second. A distance, unlike a position, means the same wherever a window was cut. As in
    Raffel et al., Exploring the limits of transfer learning, JMLR 2020, without their buckets:
    distances beyond `length` share one bias.
    """

    def __init__(self, dim: int, length: int, heads: int, dropout: float, **kwargs: object):
        """`heads` must divide `dim`."""
        super().__init__(**kwargs)
        self._heads, self._width, self._length = heads, dim // heads, length
        self._query, self._key, self._value, self._output = (
            _layers.Dense(dim, name=name) for name in ("query", "key", "value", "output")
        )
        self._dropout = _layers.Dropout(dropout)

    def build(self, input_shape: tf.TensorShape) -> None:
        """Creates the biases, which begin at 0: all distances alike."""
        self._bias = self.add_weight(
            "distance_bias", [self._length + 1, self._heads], None, "zeros"
        )
        super().build(input_shape)

    def call(self, asking: tf.Tensor, asked: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Reads every place at once."""
        query, key = self._split(self._query(asking)), self._split(self._key(asked))
        score = tf.matmul(query, key, transpose_b=True) * self._width**-0.5
        place = tf.range(tf.shape(asking)[1])
        distance = place[:, tf.newaxis] - place
        near = tf.clip_by_value(distance, 0, self._length)
        score += tf.transpose(tf.gather(self._bias, near), [2, 0, 1])
        score = tf.where(distance >= 0, tf.cast(score, tf.float32), -1e9)
        weight = self._dropout(tf.cast(tf.nn.softmax(score), query.dtype), training=training)
        read = tf.matmul(weight, self._split(self._value(asked)))
        return self._output(tf.reshape(tf.transpose(read, [0, 2, 1, 3]), tf.shape(asking)))

    def _split(self, values: tf.Tensor) -> tf.Tensor:
        """[b, s, dim] -> [b, heads, s, width]."""
        shape = tf.shape(values)
        parts = tf.reshape(values, [shape[0], shape[1], self._heads, self._width])
        return tf.transpose(parts, [0, 2, 1, 3])


class AttentionBlock(_layers.Layer):
    """One block of causal self-attention and a feed-forward layer, [b, s, dim] -> [b, s, dim].

    Only the asking side is normalised before attention, as in Kang and McAuley, Self-attentive
    sequential recommendation, ICDM 2018.
    """

    def __init__(self, dim: int, length: int, heads: int, dropout: float, **kwargs: object):
        super().__init__(**kwargs)
        self._ask = _layers.LayerNormalization(epsilon=1e-6, name="attention_norm")
        self._attend = SelfAttention(dim, length, heads, dropout, name="attention")
        self._norm = _layers.LayerNormalization(epsilon=1e-6, name="feed_forward_norm")
        self._hidden = _layers.Dense(dim, activation="relu", name="feed_forward_hidden")
        self._output = _layers.Dense(dim, name="feed_forward_output")
        self._dropout = _layers.Dropout(dropout)

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Reads and rewrites every place at once."""
        asking = self._ask(inputs)
        middle = self._norm(asking + self._attend(asking, inputs, training=training))
        hidden = self._dropout(self._hidden(middle), training=training)
        return middle + self._dropout(self._output(hidden), training=training)


class AttentionHistory(_layers.Layer):
    """What a user's known events up to a moment say, by causal self-attention.

    Place 0 stands for the beginning of every history, and place n for the n-th known event: its
    item's vector and the time since the event before it. So what is unknown or padding takes no
    place, wherever it stands.
    """

    def __init__(
        self, dim: int, length: int, blocks: int, heads: int, dropout: float, **kwargs: object
    ):
        """Events farther back than `length` are told apart by their items alone."""
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
        """Creates the vector of every history's beginning."""
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
        """[b, t, dim] vectors of the items, [b, t] bool, [b, t] `compute_log_gaps` ->
        [b, t, dim], which at each position describes the known events before it.
        """
        order = order_known_first(known)
        events = tf.gather(item_vectors, order, batch_dims=1)
        events += self._gap(tf.gather(gaps, order, batch_dims=1)[..., tf.newaxis])
        beginning = tf.broadcast_to(self._beginning, tf.shape(events[:, :1]))
        places = tf.concat([tf.cast(beginning, events.dtype), events[:, :-1]], axis=1)
        places = self._dropout(places, training=training)
        for block in self._blocks:
            places = block(places, training=training)
        return tf.gather(self._norm(places), count_known_before(known), batch_dims=1)


def order_known_first(known: tf.Tensor) -> tf.Tensor:
    """[b, t] bool -> [b, t] positions, those of known events first, each sort in its order."""
    return tf.argsort(tf.cast(~known, tf.int32), axis=1, stable=True)


def count_known_before(known: tf.Tensor) -> tf.Tensor:
    """[b, t] bool -> [b, t] int32: known events before each position."""
    return tf.cumsum(tf.cast(known, tf.int32), axis=1, exclusive=True)


def compute_log_gaps(timestamps: tf.Tensor, known: tf.Tensor) -> tf.Tensor:
    """[b, t] seconds -> [b, t] log(1 + hours since the known event before), 0 where none stands
    before.

    A log that merely numbers its events, a second apart, has gaps of about 0.
    """
    count = count_known_before(known)
    times = tf.gather(timestamps, order_known_first(known), batch_dims=1)
    last = tf.gather(times, tf.maximum(count - 1, 0), batch_dims=1)
    hours = tf.cast(tf.maximum(timestamps - last, 0), tf.float32) / 3600
    return tf.where(count > 0, tf.math.log1p(hours), 0.0)
