"""The columns of formats in which user and item have positions and not names."""

from schema.sources import InteractionsSource

MATRIX_VALUE = "value"
"""Column of a matrix's numbers."""


def list_pair_columns(source: InteractionsSource) -> list[str]:
    """Returns the columns of a source in the format `sequences` (user, item and time), `lists`
    (user and item) or `npz` (user, item and MATRIX_VALUE).
    """
    assert isinstance(source.user_id, str), "expected one column of ids"
    pair = [source.user_id, source.item_id]
    return {
        "sequences": [*pair, source.timestamp],
        "lists": pair,
        "npz": [*pair, MATRIX_VALUE],
    }[source.format]
