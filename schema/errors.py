"""Tandem's exceptions, and the exit code of each.

    TandemError                 1   a failure of Tandem itself
    ├── StageKilled             1   the process of a stage was killed
    ├── UsageError              2   the command line or the environment is invalid
    │   ├── ConfigError         2   the configuration is invalid
    │   ├── NoRunError          2   there is no finished run at --root
    │   └── ConcurrentRun       2   another run uses the same --root
    ├── TrainingDiverged        2   a loss is not finite: the learning rate is unsuitable
    ├── DataRefused             3   the data broke a rule that stops the run
    └── NotBlessed              4   the models are not good enough to be pushed

Each message states what was expected, what was received and what to do.
"""


class TandemError(Exception):
    """Base of all exceptions. `exit_code` is the exit code of the command line."""

    exit_code = 1


class StageKilled(TandemError):
    """The process of a stage ended without a result, for example because memory ran out."""


class UsageError(TandemError):
    """An invalid argument, or an environment in which the command cannot run."""

    exit_code = 2


class ConfigError(UsageError):
    """A configuration with invalid values, or one that does not match the columns of the data."""


class NoRunError(UsageError):
    """The command needs a finished run, and there is none at the given root."""


class ConcurrentRun(UsageError):
    """Another run has written to the root at the same time."""


class DataRefused(TandemError):
    """The data cannot be used, or too many records were rejected."""

    exit_code = 3


class NotBlessed(TandemError):
    """The models did not pass the thresholds of the evaluation."""

    exit_code = 4


class TrainingDiverged(TandemError):
    """A loss or a gradient is not finite: training stopped and kept its last good checkpoint."""

    exit_code = 2
