"""Configuration of the index and of the server."""

from typing import Annotated, Literal

from pydantic import Field

from schema.base import StrictModel
from schema.storage.locations import LocalPath


class IndexConfig(StrictModel):
    """The nearest-neighbour index over the candidate vectors."""

    kind: Literal["auto", "exact", "scann", "ivf"] = "auto"
    """`ivf` is an inverted file of stock TensorFlow ops, which any TensorFlow Serving can load;
    `auto` takes exact search below `exact_below` items and ScaNN from there on."""
    exact_below: Annotated[int, Field(ge=1)] = 20_000
    """Catalogue size from which `auto` takes ScaNN."""
    codes: Literal["float32", "int8"] = "float32"
    """How `ivf` keeps vectors: as they are, or in a byte a value, with scores that are as much less
    exact."""
    deny_list: LocalPath | None = None
    """File of ids, one a line, relative to the configuration file, of items that no list may have,
    whatever the catalogue says of them. It is for some thousands; one that the catalogue lacks is
    counted."""
    target_ann_recall: Annotated[float, Field(gt=0, le=1)] = 0.95
    """ANN recall@100 against exact search that tuning looks for, on queries of valid. An
    index that has less on other queries of valid stops the run with exit code 4."""
    tuning_seconds: Annotated[float, Field(gt=0)] = 60.0
    """After them no further number of leaves is tried."""


Above = Annotated[int, Field(ge=1)]


class RequestLimits(StrictModel):
    """What one request to the embedded server may hold. More is refused before it is read, with
    INVALID_ARGUMENT or HTTP 400. The first key holds for any model, the others for those that
    recommend.
    """

    max_tensor_bytes: Above = 256 * 2**20
    """Bytes of all inputs once they are read and spread over the rows, 64 for a string besides its
    text, which is counted as often as it stands there."""
    max_rows: Above = 1024
    """Rows of a batch."""
    max_list: Above = 2**20
    """Longest list of a row: a history, exclusions, candidates, a feature."""
    max_categories: Above = 1000
    """Most `allowed_categories` of a row: each is compared with each item."""
    max_k: Above = 10_000
    """Longest list that is answered; a `k` beyond it may be had where the catalogue is smaller."""
    max_scored: Above = 2**20
    """Items to score: rows times `k`, or times candidates."""


class ServingConfig(StrictModel):
    """The embedded server, `tandem serve --root`; its options go before these keys."""

    host: str = "127.0.0.1"
    """Address to bind; loopback unless told otherwise."""
    grpc_port: Annotated[int, Field(ge=0, le=65535)] = 8500
    """Port of gRPC; 0 takes a free one."""
    rest_port: Annotated[int, Field(ge=0, le=65535)] = 8501
    """Port of REST; 0 takes a free one."""
    limits: RequestLimits = RequestLimits()
    """What a request may hold."""
