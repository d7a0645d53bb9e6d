"""Asks an index that is being built, as it will be asked when it is served."""

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from serving.index.measurement import DEPTH

_TIMED = 50


Ask = Callable[[np.ndarray], np.ndarray]
"""[q, dim] -> [q, k] positions of the 100 best, or of all where there are fewer."""


def median_ms(ask: Ask, queries: np.ndarray) -> float:
    """Median milliseconds of one of the `queries` [q, dim] for 100 items, over 50 of them."""
    ask(queries[:1])
    seconds = []
    for i in range(_TIMED):
        begin = time.perf_counter()
        ask(queries[i % len(queries)][np.newaxis])
        seconds.append(time.perf_counter() - begin)
    return 1000 * statistics.median(seconds)


def asking(index: Any, dim: int) -> Ask:
    """One trace of `index.search` as it is set now, for any number of queries."""

    def search(queries: tf.Tensor) -> tf.Tensor:
        nothing = tf.zeros([tf.shape(queries)[0], 0], tf.int32)
        return index.search(queries, nothing, nothing, tf.constant(DEPTH))[0]

    signature = [tf.TensorSpec([None, dim], tf.float32)]
    traced = tf.function(search, input_signature=signature, autograph=False)
    concrete = traced.get_concrete_function()
    return lambda queries: concrete(tf.constant(queries)).numpy()
