"""The gate behind ExampleValidator, which only records: this one stops the run."""

from tensorflow_metadata.proto.v0 import anomalies_pb2
from tfx.dsl.component.experimental.annotations import InputArtifact
from tfx.dsl.component.experimental.decorators import component
from tfx.dsl.io import fileio
from tfx.types import artifact_utils, standard_artifacts

from components import anomalies


@component
def DataGate(
    interactions: InputArtifact[standard_artifacts.ExampleAnomalies],
    items: InputArtifact[standard_artifacts.ExampleAnomalies],
) -> None:
    """Raises DataRefused on any anomaly of either table."""
    found = _read("interactions", interactions) | _read("items", items)
    anomalies.refuse(found)


def _read(
    table: str, artifact: standard_artifacts.ExampleAnomalies
) -> dict[str, anomalies_pb2.Anomalies]:
    found = {}
    for split in artifact_utils.decode_split_names(artifact.split_names):
        uri = artifact_utils.get_split_uri([artifact], split)
        with fileio.open(f"{uri}/SchemaDiff.pb", "rb") as file:
            found[f"{table}/{split}"] = anomalies_pb2.Anomalies.FromString(file.read())
    return found
