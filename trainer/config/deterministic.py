"""The environment that `trainer.deterministic` needs, since TensorFlow has no function for it."""

import os
import sys

from schema.errors import ConfigError
from trainer.config.models import TrainerConfig

_ENVIRONMENT = {
    # TensorFlow replaces its own operations by oneDNN's on CPUs with VNNI, AVX-512 BF16 or AMX, and
    # decides it when it is imported: IsMklEnabled in tensorflow/core/util/port.cc.
    "TF_ENABLE_ONEDNN_OPTS": "0",
    # Its own matrix products use oneDNN's too, which chooses the instructions at the first one:
    # "CPU Dispatcher Control" in oneDNN's documentation.
    "ONEDNN_MAX_CPU_ISA": "AVX2",
}


def get_environment(config: TrainerConfig) -> dict[str, str]:
    """Environment variables of a process that trains or evaluates; empty unless `deterministic`."""
    return dict(_ENVIRONMENT) if config.deterministic else {}


def prepare_process(config: TrainerConfig) -> None:
    """Sets the variables of `get_environment` in this process, and replaces other values.

    Raises ConfigError if one has another value and TensorFlow is already imported, which is too
    late.
    """
    needed = get_environment(config)
    present = {name: os.environ.get(name) for name in needed}
    if present != needed and "tensorflow" in sys.modules:
        raise ConfigError(
            "expected, with trainer.deterministic = true, "
            f"{' and '.join(f'{name}={value}' for name, value in needed.items())} in the "
            f"environment before TensorFlow is imported, received {present}; set both variables "
            "before the process starts"
        )
    os.environ.update(needed)
