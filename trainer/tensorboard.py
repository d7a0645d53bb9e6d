"""What the trainers show in TensorBoard: scalars by epoch, and the graph of a training step."""

import tensorflow as tf
import tensorflow_recommenders as tfrs


def scalars(folder: str) -> tf.keras.callbacks.TensorBoard:
    """Keras' own callback. Its graph option looks for what TensorFlow 2.16 no longer has."""
    return tf.keras.callbacks.TensorBoard(folder, write_graph=False, update_freq="epoch")


def write_graph(model: tfrs.Model, batches: tf.data.Dataset, folder: str) -> None:
    """Writes the graph of the loss of one of the `batches`."""
    step = tf.function(lambda inputs: model.compute_loss(inputs, training=True))
    with tf.summary.create_file_writer(f"{folder}/train").as_default():
        tf.summary.graph(step.get_concrete_function(batches.element_spec).graph)
