"""ExampleValidator's findings, in words."""

from tensorflow_metadata.proto.v0 import anomalies_pb2

from schema.errors import DataRefused


def refuse(found: dict[str, anomalies_pb2.Anomalies]) -> None:
    """Raises DataRefused naming each feature and broken rule. `found` goes by table and split."""
    lines = [
        f"{place}: {feature}: {info.short_description}. {info.description}"
        for place, anomalies in sorted(found.items())
        for feature, info in sorted(anomalies.anomaly_info.items())
    ]
    if lines:
        raise DataRefused(
            f"expected data that fit the schema, received {len(lines)} anomalies; mend the data, "
            "or the feature's declaration in the configuration:\n  " + "\n  ".join(lines)
        )
