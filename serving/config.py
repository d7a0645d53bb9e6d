"""Configuration of the index and of the server."""

from typing import Annotated, Literal

from pydantic import Field

from schema.base import StrictModel
from schema.recommend import Repeats
from schema.storage.locations import LocalPath


class IndexConfig(StrictModel):
    """The nearest-neighbour index over the candidate vectors."""

    kind: Literal["auto", "exact", "scann", "ivf"] = "auto"
    """`ivf` is an inverted file of stock TensorFlow ops, which any TensorFlow Serving can load;
    `auto` uses exact search for fewer than `exact_below` available items, and ScaNN for more."""
    exact_below: Annotated[int, Field(ge=1)] = 20_000
    """Number of available items from which `auto` uses ScaNN."""
    codes: Literal["float32", "int8"] = "float32"
    """How `ivf` stores vectors: unchanged, or in one byte per value, with approximate scores."""
    deny_list: LocalPath | None = None
    """File of item ids, one per line, relative to the configuration file. Lists never contain these
    items, even if they are available in the catalogue. Intended for a few thousand ids; ids that
    are not in the catalogue are counted."""
    target_ann_recall: Annotated[float, Field(gt=0, le=1)] = 0.95
    """ANN recall@100, compared with exact search, that tuning must reach on queries of the valid
    split. If the index has less on other queries of valid, the run stops with exit code 4."""
    tuning_seconds: Annotated[float, Field(gt=0)] = 60.0
    """Seconds after which tuning tries no more numbers of leaves."""

    def for_repeats(self, repeats: Repeats) -> "IndexConfig":
        """Exact search where lists hold `only` items of the history, which are few and scored by
        their vectors; else this configuration.
        """
        return self.replace_values(kind="exact") if repeats == "only" else self


Above = Annotated[int, Field(ge=1)]


class RequestLimits(StrictModel):
    """Limits of one request to the embedded server. A larger one is rejected before the model runs,
    with INVALID_ARGUMENT or HTTP 400. The first key applies to every model, the others only to
    recommendation models.
    """

    max_tensor_bytes: Above = 256 * 2**20
    """Total bytes of all inputs after parsing and broadcasting to all rows. Each string counts as
    64 bytes plus its text."""
    max_rows: Above = 1024
    """Maximum number of rows of a batch."""
    max_list: Above = 2**20
    """Maximum length of a list in a row: a history, exclusions, candidates, a feature."""
    max_categories: Above = 1000
    """Maximum number of `allowed_categories` in a row; every item is compared with each."""
    max_k: Above = 10_000
    """Maximum length of a returned list. A larger `k` is accepted if the catalogue has no more
    items than this."""
    max_scored: Above = 2**20
    """Maximum number of items to score: rows times `k`, or times candidates."""


class ServingConfig(StrictModel):
    """The embedded server, `tandem serve --root`; its options override these keys."""

    host: str = "127.0.0.1"
    """Address to bind; the default is loopback."""
    grpc_port: Annotated[int, Field(ge=0, le=65535)] = 8500
    """Port of gRPC; 0 selects a free port."""
    rest_port: Annotated[int, Field(ge=0, le=65535)] = 8501
    """Port of REST; 0 selects a free port."""
    limits: RequestLimits = RequestLimits()
    """Limits of a request."""
