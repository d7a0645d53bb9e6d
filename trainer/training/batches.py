"""Global batches divided among replicas, and padded where shapes must be static."""

import itertools
from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf

from schema.errors import ConfigError
from trainer.data.timelines import Timelines
from trainer.data.windows import Batch, Windows, pad_windows
from trainer.training.distribution import Hardware

NEGATIVES = "negatives"
"""The only array of a batch that does not have one row per window."""
_PAD = {"event": -1}
EpochBatches = Callable[[int], Iterator[Batch]]
"""The global batches of an epoch, by its number."""


def build_dataset(epochs: EpochBatches, first: int, hardware: Hardware) -> tf.data.Dataset:
    """The batches of this process's replicas, one replica after another, endlessly from epoch
    `first` on.

    Every process draws the same global batches and uses its own share of each.
    """

    def build_input(context: tf.distribute.InputContext) -> tf.data.Dataset:
        local = hardware.replicas // context.num_input_pipelines
        own = slice(context.input_pipeline_id * local, (context.input_pipeline_id + 1) * local)

        def batches() -> Iterator[Batch]:
            for epoch in itertools.count(first):
                for batch in epochs(epoch):
                    yield from split_shares(batch, hardware.replicas)[own]

        return _build_generator_dataset(batches, hardware.one_shape)

    return hardware.strategy.distribute_datasets_from_function(build_input)


def split_shares(batch: Batch, replicas: int) -> list[Batch]:
    """Equal shares of the rows and of the negatives; the last shares may contain padding rows."""
    if replicas == 1:
        return [batch]
    rows = len(batch["item_index"])
    whole = pad_batch(batch, -(-rows // replicas) * replicas, batch["item_index"].shape[1])
    parts = {key: np.split(values, replicas) for key, values in whole.items()}
    return [{key: values[i] for key, values in parts.items()} for i in range(replicas)]


def pad_batch(batch: Batch, rows: int, length: int) -> Batch:
    """The batch with `rows` rows of `length` positions; padding is 0 and never a target."""
    missing = [(0, rows - batch["item_index"].shape[0]), (0, length - batch["item_index"].shape[1])]
    return {
        key: values if key == NEGATIVES else _pad_values(key, values, missing)
        for key, values in batch.items()
    }


def _pad_values(key: str, values: np.ndarray, missing: list[tuple[int, int]]) -> np.ndarray:
    of_user = key.startswith("user_")
    widths = [missing[0], (0, 0) if of_user else missing[1], *[(0, 0)] * values.ndim][: values.ndim]
    return np.pad(values, widths, constant_values=_PAD.get(key, 0))


def pad_to_bucket(batch: Batch, positions: int, longest: int) -> Batch:
    """Pads the batch so that an epoch has few shapes, and XLA compiles few programs.

    The length is rounded up to the next of 1, 2, 3, 4, 6, 8, 12, …, `longest`. The number of rows
    is rounded up to how many of the shortest windows with this padded length fit into `positions`.
    """
    rows, length = batch["item_index"].shape
    below, above = _find_bucket(length)
    return pad_batch(batch, max(rows, positions // (below + 1)), max(length, min(above, longest)))


def batch_static_shape(
    timelines: Timelines, cut: Windows, positions: int, rng: np.random.Generator | None
) -> Iterator[Batch]:
    """All windows in batches of exactly the same shape, as long as the longest window.

    Args:
        timelines: the split's timelines.
        cut: windows of these timelines.
        positions: most positions per batch, padding included; at least one window is in a batch.
        rng: shuffles the windows; None keeps their order.
    """
    rows, longest = _compute_static_shape(cut, positions)
    order = np.arange(len(cut.row)) if rng is None else rng.permutation(len(cut.row))
    for begin in range(0, len(order), rows):
        yield pad_batch(pad_windows(timelines, cut, order[begin : begin + rows]), rows, longest)


def count_static_batches(cut: Windows, positions: int) -> int:
    """Number of batches that `batch_static_shape` yields."""
    return -(-len(cut.row) // _compute_static_shape(cut, positions)[0])


def _compute_static_shape(cut: Windows, positions: int) -> tuple[int, int]:
    longest = int((cut.stop - cut.start).max())
    return max(1, positions // longest), longest


def _find_bucket(length: int) -> tuple[int, int]:
    """The greatest value below `length` and the least value >= `length` of 0, 1, 2, 3, 4, 6, 8,
    12, 16, 24, …
    """
    below, step = 0, 1
    while step < length:
        below = step
        power = 1 << (step.bit_length() - 1)
        step = step * 3 // 2 if step == power and step > 1 else power * 2
    return below, step


def require_equal_shares(negatives: int, replicas: int) -> None:
    """Raises ConfigError if `negatives` is not a multiple of `replicas`."""
    if negatives % replicas:
        raise ConfigError(
            f"expected retrieval.uniform_negatives to be a multiple of the {replicas} replicas, "
            f"received {negatives}; {-(-negatives // replicas) * replicas} is the next one"
        )


def _build_generator_dataset(
    batches: Callable[[], Iterator[Batch]], one_shape: bool
) -> tf.data.Dataset:
    example = next(batches())
    signature = {
        key: tf.TensorSpec(values.shape if one_shape else [None] * values.ndim, values.dtype)
        for key, values in example.items()
    }
    return tf.data.Dataset.from_generator(batches, output_signature=signature).prefetch(4)
