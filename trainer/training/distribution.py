"""The devices and the precision of a training, by `[trainer]`, and exchange between replicas."""

import contextlib
import dataclasses
import json
import os
from collections.abc import Callable, Iterator

import tensorflow as tf

from schema.errors import ConfigError
from trainer.config.models import TrainerConfig


@dataclasses.dataclass(frozen=True)
class Hardware:
    """A strategy made for this process, and how its devices are to compute."""

    strategy: tf.distribute.Strategy = dataclasses.field(default_factory=tf.distribute.get_strategy)
    xla: bool = False
    mixed_precision: bool = False
    profile: bool = False

    @property
    def replicas(self) -> int:
        """Devices that share every global batch."""
        return self.strategy.num_replicas_in_sync

    @property
    def static_shapes(self) -> bool:
        """Whether shapes must not depend on what the batch holds."""
        return self.xla or self.replicas > 1 or self.one_shape

    @property
    def one_shape(self) -> bool:
        """Whether all batches must have the same shape: a TPU compiles a program for each."""
        return isinstance(self.strategy, tf.distribute.TPUStrategy)

    @property
    def writes(self) -> bool:
        """Whether this process is the one of its cluster that writes what training made."""
        return self.strategy.extended.should_checkpoint

    @contextlib.contextmanager
    def scope(self) -> Iterator[None]:
        """Models made inside belong to the strategy and compute in its precision."""
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
    """Makes the strategy: before anything else of TensorFlow runs in the process.

    Raises ConfigError where the hardware that the configuration asks for is not there.
    """
    name = _detect_strategy() if config.strategy == "auto" else config.strategy
    made = _STRATEGIES[name]()
    if config.xla and name in ("mirrored", "multi_worker"):
        raise ConfigError(
            f"expected trainer.xla = false with strategy {name}, received true: replicas exchange "
            'items within the step, which XLA does not compile; use strategy = "one" or no XLA'
        )
    return Hardware(made, config.xla and name != "tpu", config.mixed_precision, config.profile)


def _detect_strategy() -> str:
    if os.environ.get("TPU_NAME"):
        return "tpu"
    if len(_list_workers()) > 1:
        return "multi_worker"
    return "mirrored" if len(tf.config.list_logical_devices("GPU")) > 1 else "one"


def _list_workers() -> list[str]:
    """Addresses of the cluster's chief and workers, by TF_CONFIG; none without it."""
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
            "expected a process of its own for each worker's trainer, received one that has used "
            f"TensorFlow before ({error}); run the training component alone, see docs/TRAINING.md"
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
    """Replicas that share the present step: 1 without a strategy."""
    return tf.distribute.get_strategy().num_replicas_in_sync


def sum_over_replicas(value: tf.Tensor) -> tf.Tensor:
    """The sum of `value` over all replicas, the same on each of them."""
    context = tf.distribute.get_replica_context()
    if context is None or count_replicas() == 1:
        return value
    return context.all_reduce(tf.distribute.ReduceOp.SUM, value)


def concat_over_replicas(values: tf.Tensor) -> tf.Tensor:
    """[n, …], of the same shape on every replica -> [n * replicas, …], the own part first.

    The others follow in a circle. Gradients flow back to the replica that a part came from.
    """
    context = tf.distribute.get_replica_context()
    if context is None or count_replicas() == 1:
        return values
    own = tf.cast(context.replica_id_in_sync_group, tf.int32) * tf.shape(values)[0]
    placed = tf.identity(values)  # an input has no device yet, and gathering asks for it
    return tf.roll(context.all_gather(placed, axis=0), -own, axis=0)
