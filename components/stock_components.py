"""TFX's own components of the DAG, with artifacts on an object store too."""

from tfx.components.example_validator import component as example_validator
from tfx.components.example_validator import executor as example_validator_executor
from tfx.components.transform import component as transform
from tfx.components.transform import executor as transform_executor
from tfx.dsl.components.base import executor_spec

from components.local_artifacts import OnLocalDisk


class TransformExecutor(OnLocalDisk, transform_executor.Executor):
    """TFX's."""


class Transform(transform.Transform):
    """TFX's."""

    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(TransformExecutor)


class ExampleValidatorExecutor(OnLocalDisk, example_validator_executor.Executor):
    """TFX's."""


class ExampleValidator(example_validator.ExampleValidator):
    """TFX's."""

    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(ExampleValidatorExecutor)
