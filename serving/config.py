"""Configuration of the index and of the server."""

from typing import Annotated, Literal

from pydantic import Field

from schema.strict import Strict


class IndexConfig(Strict):
    """The nearest-neighbour index over the candidate vectors."""

    kind: Literal["auto", "exact", "scann"] = "auto"
    """`auto` takes exact search below `exact_below` items and ScaNN from there on."""
    exact_below: Annotated[int, Field(ge=1)] = 20_000
    """Catalogue size from which `auto` takes ScaNN."""
    reordering: Annotated[int, Field(ge=1)] = 400
    """Candidates that ScaNN scores again exactly; more than the items asked for."""
    leaves_to_search_fraction: Annotated[float, Field(gt=0, le=1)] = 0.15
    """Share of ScaNN's partitions that a query looks into."""
    min_ann_recall: Annotated[float, Field(ge=0, le=1)] = 0.9
    """Below this ANN recall@100 against exact search the run stops."""


class ServingConfig(Strict):
    """The embedded server."""

    host: str = "127.0.0.1"
    """Address to bind; loopback unless told otherwise."""
    grpc_port: Annotated[int, Field(ge=0, le=65535)] = 8500
    """Port of gRPC; 0 takes a free one."""
    rest_port: Annotated[int, Field(ge=0, le=65535)] = 8501
    """Port of REST; 0 takes a free one."""
