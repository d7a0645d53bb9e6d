"""The tree of errors that Tandem raises on purpose, and the exit code that each kind ends with.

    TandemError                 1   our own failure, stated plainly
    ├── UsageError              2   the command line or the environment does not fit
    │   ├── ConfigError         2   the configuration does not fit
    │   └── NoRunError          2   there is no finished run at --root
    ├── TrainingDiverged        2   a loss is no number any more: the learning rate does not fit
    ├── DataRefused             3   the data broke a rule that stops the run
    └── NotBlessed              4   the models are not good enough to be pushed

Each message says what was expected, what was received and what to do.
"""


class TandemError(Exception):
    """Root of the tree. `exit_code` is what the command line ends with."""

    exit_code = 1


class UsageError(TandemError):
    """A wrong argument, or an environment in which the verb cannot work."""

    exit_code = 2


class ConfigError(UsageError):
    """A configuration that does not fit its types, or does not fit the data's columns."""


class NoRunError(UsageError):
    """A verb needs a finished run and there is none at the root it was given."""


class DataRefused(TandemError):
    """Data that cannot be used, or too much of it rejected."""

    exit_code = 3


class NotBlessed(TandemError):
    """The evaluation found the models worse than what they must beat."""

    exit_code = 4


class TrainingDiverged(TandemError):
    """A loss or a gradient that is no number: training stopped, with its last good checkpoint."""

    exit_code = 2
