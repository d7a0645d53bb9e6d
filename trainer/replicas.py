"""What the replicas of a distribution strategy tell each other within a step."""

import tensorflow as tf


def count() -> int:
    """Replicas that share the present step: 1 without a strategy."""
    return tf.distribute.get_strategy().num_replicas_in_sync


def total(value: tf.Tensor) -> tf.Tensor:
    """The sum of `value` over all replicas, the same on each of them."""
    context = tf.distribute.get_replica_context()
    if context is None or count() == 1:
        return value
    return context.all_reduce(tf.distribute.ReduceOp.SUM, value)


def joined(values: tf.Tensor) -> tf.Tensor:
    """[n, …], of the same shape on every replica -> [n * replicas, …], the own part first.

    The others follow in a circle. Gradients flow back to the replica that a part came from.
    """
    context = tf.distribute.get_replica_context()
    if context is None or count() == 1:
        return values
    own = tf.cast(context.replica_id_in_sync_group, tf.int32) * tf.shape(values)[0]
    placed = tf.identity(values)  # an input has no device yet, and gathering asks for it
    return tf.roll(context.all_gather(placed, axis=0), -own, axis=0)
