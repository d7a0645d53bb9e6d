"""TFX component: writes the schema that follows from the configuration as an artifact."""

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
    """Writes `text`, a Schema proto in text format from `schema.tfdv_schema`.

    The parameter is the content and not a path, so that TFX's cache notices an edited file and a
    remote task does not need the file.
    """
    with fileio.open(f"{schema.uri}/schema.pbtxt", "w") as file:
        file.write(text)
