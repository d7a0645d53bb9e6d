"""How requests are joined, and how many may wait: TensorFlow Serving's batching parameters.

tensorflow-serving-api does not include the message, so it is declared here as published in
tensorflow_serving/servables/tensorflow/session_bundle_config.proto.
"""

import dataclasses
import os
import pathlib
from typing import Any

from schema.errors import UsageError
from serving.protocol import text_protos
from serving.protocol.text_protos import INT64, STRING, Field

_FILE = "tensorflow_serving/servables/tensorflow/session_bundle_config.proto"
_FIELDS = [
    ("max_batch_size", 1, INT64),
    ("batch_timeout_micros", 2, INT64),
    ("max_enqueued_batches", 3, INT64),
    ("num_batch_threads", 4, INT64),
    ("thread_pool_name", 5, STRING),
    ("allowed_batch_sizes", 6, [Field.TYPE_INT64]),
    ("pad_variable_length_inputs", 7, Field.TYPE_BOOL),
]


@dataclasses.dataclass(frozen=True)
class BatchingConfig:
    """Joining of requests to one signature, and limits on waiting requests."""

    max_batch_size: int = 32
    """Maximum number of rows of a call; 1 disables joining."""
    timeout_s: float = 0.0
    """Seconds that an incomplete batch waits for more rows. With 0 a batch has the rows that
    already wait, so an idle server responds at once and a busy one uses larger batches."""
    max_enqueued_batches: int = 4
    """Up to this number times `max_batch_size` rows may wait; further requests are rejected."""
    threads: int = dataclasses.field(default_factory=lambda: max(1, (os.cpu_count() or 1) - 1))
    """Number of concurrent calls; by default one core is left for messages."""
    pad: bool = True
    """Whether requests with lists of different lengths are joined."""
    sizes: tuple[int, ...] = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
    """Joined calls are padded to the next of these sizes, since TensorFlow caches work for each
    size. Larger calls are not padded."""

    @property
    def most_waiting(self) -> int:
        """Maximum number of waiting rows."""
        return self.max_batch_size * self.max_enqueued_batches

    def padded_rows(self, rows: int) -> int:
        """Number of rows to which a joined call is padded."""
        return min((size for size in self.sizes if size >= rows), default=rows)


UNBATCHED = BatchingConfig(max_batch_size=1, max_enqueued_batches=128)
"""Joining disabled."""


def read(path: pathlib.Path) -> BatchingConfig:
    """Reads a text proto of BatchingParameters, with TensorFlow Serving's defaults.

    Raises UsageError if the file cannot be read or parsed, a number is not positive, or
    `allowed_batch_sizes` do not ascend to `max_batch_size`.
    """
    message = text_protos.read(
        path,
        text_protos.declare_messages(_FILE, {"BatchingParameters": _FIELDS})[
            "BatchingParameters"
        ](),
    )
    most = _read_number(message, "max_batch_size", 1000, path)
    sizes = tuple(message.allowed_batch_sizes)
    if sizes and (sizes[0] < 1 or sizes[-1] != most or sorted(set(sizes)) != list(sizes)):
        raise UsageError(
            f"expected allowed_batch_sizes in {path} to ascend to max_batch_size, {most}, received "
            f"{list(sizes)}; fix the file"
        )
    return BatchingConfig(
        max_batch_size=most,
        timeout_s=_read_number(message, "batch_timeout_micros", 0, path, least=0) / 1e6,
        max_enqueued_batches=_read_number(message, "max_enqueued_batches", 10, path),
        threads=_read_number(message, "num_batch_threads", os.cpu_count() or 1, path),
        pad=message.pad_variable_length_inputs,
        sizes=sizes,
    )


def _read_number(message: Any, name: str, default: int, path: pathlib.Path, least: int = 1) -> int:
    value = getattr(message, name).value if message.HasField(name) else default
    if value < least:
        raise UsageError(
            f"expected {name} of at least {least} in {path}, received {value}; fix the file"
        )
    return value
