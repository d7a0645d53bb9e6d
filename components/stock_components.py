"""TFX's own components of the DAG, with support for artifacts on an object store."""

from tensorflow_metadata.proto.v0 import schema_pb2
from tfx.components.example_validator import component as example_validator
from tfx.components.example_validator import executor as example_validator_executor
from tfx.components.transform import component as transform
from tfx.components.transform import executor as transform_executor
from tfx.dsl.components.base import executor_spec

from components.artifacts.local_copies import LocalCopiesMixin

_ROWS = 1000  # as many as TFX's own batches grow to


class TransformExecutor(LocalCopiesMixin, transform_executor.Executor):
    """TFX's executor with a fixed batch size. Beam adapts the default size to the machine's load;
    means and variances are sums over batches, so their rounding depends on the size.
    """

    def _GetDesiredBatchSize(self, data_format: int, schema: schema_pb2.Schema) -> int:
        size = super()._GetDesiredBatchSize(data_format, schema)  # pyright: ignore[reportAttributeAccessIssue]
        return size or _ROWS


class Transform(transform.Transform):
    """TFX's component with the executor above."""

    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(TransformExecutor)


class ExampleValidatorExecutor(LocalCopiesMixin, example_validator_executor.Executor):
    """TFX's executor with local copies of the artifacts."""


class ExampleValidator(example_validator.ExampleValidator):
    """TFX's component with the executor above."""

    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(ExampleValidatorExecutor)
