"""Baselines that the package implicit learns: they are ranked on request, where it is installed."""

import importlib.util
from collections.abc import Collection
from typing import Literal, get_args

from schema.errors import UsageError

Peer = Literal["als", "bpr"]
PEERS: tuple[Peer, ...] = get_args(Peer)
_PACKAGE = "implicit"


def require_package(peers: Collection[Peer]) -> None:
    """Raises UsageError if there are `peers` and the package that learns them is not installed."""
    if peers and importlib.util.find_spec(_PACKAGE) is None:
        raise UsageError(
            f"evaluation.peers = {list(peers)} expects the package {_PACKAGE}, found none; "
            "install it with: pip install 'tandem[peers]', or remove evaluation.peers"
        )
