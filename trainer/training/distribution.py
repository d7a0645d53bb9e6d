"""Devices and precision of a training run, from `[trainer]`, and exchange between replicas."""

import contextlib
import dataclasses
import json
import os
from collections.abc import Callable, Iterator

import tensorflow as tf

from schema.errors import ConfigError
from trainer.config.deterministic import prepare_process
from trainer.config.models import TrainerConfig


@dataclasses.dataclass(frozen=True)
class Hardware:
    """This process's distribution strategy, and how its devices compute."""

    strategy: tf.distribute.Strategy = dataclasses.field(default_factory=tf.distribute.get_strategy)
    xla: bool = False
    mixed_precision: bool = False
    profile: bool = False

    @property
    def replicas(self) -> int:
        """Number of devices that share every global batch."""
        return self.strategy.num_replicas_in_sync

    @property
    def static_shapes(self) -> bool:
        """Whether tensor shapes must not depend on the values of a batch."""
        return self.xla or self.replicas > 1 or self.one_shape

    @property
    def one_shape(self) -> bool:
        """Whether all batches must have the same shape: a TPU compiles a program per shape."""
        return isinstance(self.strategy, tf.distribute.TPUStrategy)

    @property
    def writes(self) -> bool:
        """Whether this process is the one in its cluster that writes the results."""
        return self.strategy.extended.should_checkpoint

    @contextlib.contextmanager
    def scope(self) -> Iterator[None]:
        """Models created in this scope belong to the strategy and use its precision."""
        before = tf.keras.mixed_precision.global_policy()
        tf.keras.mixed_precision.set_global_policy(
            "mixed_bfloat16" if self.mixed_precision else "float32"
        )
        try:
            with self.strategy.scope():
                yield
        finally:
            tf.keras.mixed_precision.set_global_policy(before)


def create_hardware(config: TrainerConfig) -> Hardware:
    """Creates the strategy; call it before any other use of TensorFlow in the process.

    Raises ConfigError if the configured hardware is not available, or if the process was not
    prepared for `deterministic`.
    """
    prepare_process(config)
    name = _detect_strategy() if config.strategy == "auto" else config.strategy
    strategy = _STRATEGIES[name]()
    if config.xla and name in ("mirrored", "multi_worker"):
        raise ConfigError(
            f"expected trainer.xla = false with strategy {name}, received true: replicas exchange "
            'items within the step, which XLA does not compile; use strategy = "one" or no XLA'
        )
    return Hardware(strategy, config.xla and name != "tpu", config.mixed_precision, config.profile)


def _detect_strategy() -> str:
    if os.environ.get("TPU_NAME"):
        return "tpu"
    if len(_list_workers()) > 1:
        return "multi_worker"
    return "mirrored" if len(tf.config.list_logical_devices("GPU")) > 1 else "one"


def _list_workers() -> list[str]:
    """Addresses of the cluster's chief and workers from TF_CONFIG; none without it."""
    text = os.environ.get("TF_CONFIG", "{}")
    try:
        cluster = json.loads(text).get("cluster", {})
    except json.JSONDecodeError as error:
        raise ConfigError(
            f"expected JSON in the environment variable TF_CONFIG, received {text!r}: {error}; "
            "docs/TRAINING.md has an example"
        ) from error
    return [*cluster.get("chief", []), *cluster.get("worker", [])]


def _create_mirrored() -> tf.distribute.Strategy:
    kind = "GPU" if tf.config.list_physical_devices("GPU") else "CPU"
    devices = [device.name for device in tf.config.list_logical_devices(kind)]
    if len(devices) < 2:
        raise ConfigError(
            f'expected two GPUs or more for trainer.strategy = "mirrored", found {len(devices)} '
            f'{kind} device; use strategy = "one"'
        )
    return tf.distribute.MirroredStrategy(devices)


def _create_multi_worker() -> tf.distribute.Strategy:
    if not _list_workers():
        raise ConfigError(
            'expected the environment variable TF_CONFIG for trainer.strategy = "multi_worker", '
            "found none that names workers; docs/TRAINING.md has an example"
        )
    try:
        return tf.distribute.MultiWorkerMirroredStrategy()
    except RuntimeError as error:
        raise ConfigError(
            "expected a separate process for each worker's trainer, received one that has already "
            f"used TensorFlow ({error}); run the training component alone, see docs/TRAINING.md"
        ) from error


def _create_tpu() -> tf.distribute.Strategy:
    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver()
        tf.config.experimental_connect_to_cluster(resolver)
        tf.tpu.experimental.initialize_tpu_system(resolver)
    except (ValueError, tf.errors.NotFoundError, tf.errors.InvalidArgumentError) as error:
        raise ConfigError(
            f'expected a TPU for trainer.strategy = "tpu", found none ({error}); set TPU_NAME to '
            'its name, or use strategy = "auto"'
        ) from error
    return tf.distribute.TPUStrategy(resolver)


_STRATEGIES: dict[str, Callable[[], tf.distribute.Strategy]] = {
    "one": tf.distribute.get_strategy,
    "mirrored": _create_mirrored,
    "multi_worker": _create_multi_worker,
    "tpu": _create_tpu,
}


def count_replicas() -> int:
    """Number of replicas that share the current step: 1 without a strategy."""
    return tf.distribute.get_strategy().num_replicas_in_sync


def sum_over_replicas(value: tf.Tensor) -> tf.Tensor:
    """The sum of `value` over all replicas, the same on each of them."""
    context = tf.distribute.get_replica_context()
    if context is None or count_replicas() == 1:
        return value
    return context.all_reduce(tf.distribute.ReduceOp.SUM, value)


def concat_over_replicas(values: tf.Tensor) -> tf.Tensor:
    """[n, …], the same shape on every replica -> [n * replicas, …], this replica's part first.

    The other parts follow in cyclic order. Gradients flow back to the replica of each part.
    """
    context = tf.distribute.get_replica_context()
    if context is None or count_replicas() == 1:
        return values
    own = tf.cast(context.replica_id_in_sync_group, tf.int32) * tf.shape(values)[0]
    on_device = tf.identity(values)  # an input has no device yet, which all_gather requires
    return tf.roll(context.all_gather(on_device, axis=0), -own, axis=0)
