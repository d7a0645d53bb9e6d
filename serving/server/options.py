"""How a server listens and behaves, apart from what it serves."""

import dataclasses

from serving.config import RequestLimits
from serving.protocol.limits import DEFAULT_LIMITS
from serving.server.batching_config import BatchingConfig
from serving.server.metrics import DEFAULT_METRICS_PATH
from serving.server.request_log import RequestLog
from serving.server.security import ServerSecurity


@dataclasses.dataclass(frozen=True)
class ServerOptions:
    """Options of `serving.server.app`."""

    host: str = "127.0.0.1"
    grpc_port: int = 0
    """0 takes a free one."""
    rest_port: int = 0
    """0 takes a free one."""
    metrics_path: str | None = DEFAULT_METRICS_PATH
    """Where REST has Prometheus' metrics, None for nowhere."""
    batching: BatchingConfig = BatchingConfig()  # noqa: RUF009 - frozen
    """How many calls run at a time, and what waits meanwhile."""
    max_message_bytes: int = 64 * 2**20
    """Larger requests are refused: RESOURCE_EXHAUSTED, or 413."""
    limits: RequestLimits = DEFAULT_LIMITS
    """What a request may hold."""
    body_s: float = 30.0
    """A REST body that takes longer to arrive is refused: 408."""
    grace_s: float = 5.0
    """What calls under way get at the end."""
    security: ServerSecurity = ServerSecurity()  # noqa: RUF009 - frozen
    request_log: RequestLog | None = None


DEFAULT_OPTIONS = ServerOptions()
