"""TFX component: the schema that the configuration stands for, as an artifact."""

from tfx.dsl.component.experimental.annotations import OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.dsl.io import fileio
from tfx.types import standard_artifacts

from components.artifacts.local_copies import use_local_copies


@component
@use_local_copies
def SchemaGen(
    schema: OutputArtifact[standard_artifacts.Schema],
    text: Parameter[str],
) -> None:
    """`text` is the Schema proto as text, of `schema.tfdv_schema`.

    It travels whole and not by name, so that the cache sees an edited file and a remote task needs
    none.
    """
    with fileio.open(f"{schema.uri}/schema.pbtxt", "w") as file:
        file.write(text)
