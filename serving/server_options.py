"""How a server listens and behaves, apart from what it serves."""

import dataclasses

from serving import monitoring_config


@dataclasses.dataclass(frozen=True)
class ServerOptions:
    """Options of `serving.server`; the defaults are those of a server in a test or a check."""

    host: str = "127.0.0.1"
    grpc_port: int = 0
    """0 takes a free one."""
    rest_port: int = 0
    """0 takes a free one."""
    metrics_path: str | None = monitoring_config.DEFAULT_PATH
    """Where REST has Prometheus' metrics, None for nowhere."""


DEFAULTS = ServerOptions()
