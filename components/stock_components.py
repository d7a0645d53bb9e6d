"""TFX's own components of the DAG, with artifacts on an object store too."""

from tensorflow_metadata.proto.v0 import schema_pb2
from tfx.components.example_validator import component as example_validator
from tfx.components.example_validator import executor as example_validator_executor
from tfx.components.transform import component as transform
from tfx.components.transform import executor as transform_executor
from tfx.dsl.components.base import executor_spec

from components.artifacts.local_copies import LocalCopiesMixin

_ROWS = 1000  # as many as TFX's own batches grow to


class TransformExecutor(LocalCopiesMixin, transform_executor.Executor):
    """TFX's, with batches whose size does not depend on how busy the machine is: means and
    variances are sums over batches, and in other batches they round otherwise.
    """

    def _GetDesiredBatchSize(self, data_format: int, schema: schema_pb2.Schema) -> int:
        found = super()._GetDesiredBatchSize(data_format, schema)  # pyright: ignore[reportAttributeAccessIssue]
        return found or _ROWS


class Transform(transform.Transform):
    """TFX's."""

    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(TransformExecutor)


class ExampleValidatorExecutor(LocalCopiesMixin, example_validator_executor.Executor):
    """TFX's."""


class ExampleValidator(example_validator.ExampleValidator):
    """TFX's."""

    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(ExampleValidatorExecutor)
