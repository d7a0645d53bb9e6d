"""The content of a converted column, as values or reasons for rejection."""

from components.ingest.fields.converted import ConvertedColumn


def outcomes(converted: ConvertedColumn) -> list:
    """The value, or the reason for its rejection."""
    values: list = converted.array.to_pylist()
    for reason, refused in reversed(converted.faults):
        values = [reason if no else value for no, value in zip(refused, values, strict=True)]
    return values
