"""How requests are joined, and how many may wait: TensorFlow Serving's batching parameters.

tensorflow-serving-api does not bring the message: it is declared here as
tensorflow_serving/servables/tensorflow/session_bundle_config.proto publishes it.
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
    """Requests to one signature are run together; those that cannot run yet wait."""

    max_batch_size: int = 32
    """Rows of a call; 1 joins nothing."""
    timeout_s: float = 0.0
    """How long a call that is not full waits for more rows. 0 takes what waits already, so an idle
    server answers at once and a busy one in larger and larger batches."""
    max_enqueued_batches: int = 4
    """As many times `max_batch_size` rows may wait; what comes then is refused."""
    threads: int = dataclasses.field(default_factory=lambda: max(1, (os.cpu_count() or 1) - 1))
    """Calls at a time: one core is left for reading and writing messages."""
    pad: bool = True
    """Whether histories of unlike length, and lists of exclusions and categories, are joined."""
    sizes: tuple[int, ...] = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
    """Joined calls are filled up to the next of these: TensorFlow keeps what it has prepared for
    each size. Larger ones are left as they are."""

    @property
    def most_waiting(self) -> int:
        """Rows that may wait."""
        return self.max_batch_size * self.max_enqueued_batches

    def padded_rows(self, rows: int) -> int:
        """How many rows a joined call of so many is given."""
        return min((size for size in self.sizes if size >= rows), default=rows)


UNBATCHED = BatchingConfig(max_batch_size=1, max_enqueued_batches=128)
"""Nothing is joined."""


def read(path: pathlib.Path) -> BatchingConfig:
    """Of a text proto of BatchingParameters, TensorFlow Serving's defaults where it is silent.

    Raises UsageError where the file cannot be read or is no such proto, for numbers that are not
    above 0, and for `allowed_batch_sizes` that do not ascend to `max_batch_size`.
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
