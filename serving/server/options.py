"""Options of a server, apart from the models that it serves."""

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
    """0 selects a free port."""
    rest_port: int = 0
    """0 selects a free port."""
    metrics_path: str | None = DEFAULT_METRICS_PATH
    """REST path of the Prometheus metrics, None to disable them."""
    batching: BatchingConfig = BatchingConfig()  # noqa: RUF009 - frozen
    """Concurrency of calls, and limits on waiting requests."""
    max_message_bytes: int = 64 * 2**20
    """Larger requests are rejected with RESOURCE_EXHAUSTED or HTTP 413."""
    limits: RequestLimits = DEFAULT_LIMITS
    """Limits of one request."""
    body_s: float = 30.0
    """Seconds within which a REST body must arrive; else HTTP 408."""
    grace_s: float = 5.0
    """Seconds that calls in progress have to finish when the server stops."""
    security: ServerSecurity = ServerSecurity()  # noqa: RUF009 - frozen
    request_log: RequestLog | None = None


DEFAULT_OPTIONS = ServerOptions()
