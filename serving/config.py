"""Configuration of the index and of the server."""

from typing import Annotated, Literal

from pydantic import Field

from schema.strict import Strict


class IndexConfig(Strict):
    """The nearest-neighbour index over the candidate vectors."""

    kind: Literal["auto", "exact", "scann", "ivf"] = "auto"
    """`ivf` is an inverted file of stock TensorFlow ops, which any TensorFlow Serving can load;
    `auto` takes exact search below `exact_below` items and ScaNN from there on."""
    exact_below: Annotated[int, Field(ge=1)] = 20_000
    """Catalogue size from which `auto` takes ScaNN."""
    codes: Literal["float32", "int8"] = "float32"
    """How `ivf` keeps vectors: as they are, or in a byte a value, with scores that are as much less
    exact."""
    deny_list: str | None = None
    """File of ids, one a line, relative to the configuration file, of items that no list may have,
    whatever the catalogue says of them. It is for some thousands; one that the catalogue lacks is
    counted."""
    target_ann_recall: Annotated[float, Field(gt=0, le=1)] = 0.95
    """ANN recall@100 against exact search that tuning looks for, on queries of valid. Where the
    index that comes out has less on others of them, the run stops."""
    tuning_seconds: Annotated[float, Field(gt=0)] = 60.0
    """After them no further number of leaves is tried."""


class ServingConfig(Strict):
    """The embedded server."""

    host: str = "127.0.0.1"
    """Address to bind; loopback unless told otherwise."""
    grpc_port: Annotated[int, Field(ge=0, le=65535)] = 8500
    """Port of gRPC; 0 takes a free one."""
    rest_port: Annotated[int, Field(ge=0, le=65535)] = 8501
    """Port of REST; 0 takes a free one."""
