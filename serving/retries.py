"""When a call to a server is asked again, and after which pause."""

import dataclasses
import random
from typing import Any

import grpc

from serving.protocol.errors import RETRY_PUSHBACK


@dataclasses.dataclass(frozen=True)
class Retries:
    """Only calls that change nothing on the server may be asked again: Predict, GetModelStatus and
    GetModelMetadata are such, for models have no state that a request changes.

    UNAVAILABLE is asked again, for the server has not answered. RESOURCE_EXHAUSTED is asked again
    only where the server says when: an overloaded one is not helped by more calls.
    DEADLINE_EXCEEDED and every refusal are final.
    """

    attempts: int = 4
    """Calls in all, the first included."""
    first_pause_s: float = 0.05
    """The pause before attempt n + 1 is uniform between 0 and first_pause_s * 2^(n - 1), so that
    clients that failed together do not come back together."""
    longest_pause_s: float = 1.0
    """Bound of that doubling; a server's own pause is kept, however long."""

    def pause(self, failed: int, error: grpc.RpcError, remaining_s: float) -> float | None:
        """Seconds to wait after attempt number `failed` (from 1) ended with `error`; None: give up.

        `remaining_s` is what is left until the deadline of the whole call; a pause that would use
        it up is not begun.
        """
        if failed >= self.attempts:
            return None
        asked = _asked_for(error)
        if error.code() == grpc.StatusCode.UNAVAILABLE:
            pause = self._backoff(failed) if asked is None else asked
        elif error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED and asked is not None:
            pause = asked
        else:
            return None
        return pause if 0 <= pause < remaining_s else None

    def _backoff(self, failed: int) -> float:
        return random.uniform(0, min(self.longest_pause_s, self.first_pause_s * 2 ** (failed - 1)))


def _asked_for(error: grpc.RpcError) -> float | None:
    """Seconds that the server asks to wait; -1 where it asks not to come back, None if it says
    nothing. What is no number means not to come back, as A6 has it.
    """
    trailing: Any = error.trailing_metadata()
    for key, value in trailing or ():
        if key == RETRY_PUSHBACK:
            return int(value) / 1000 if value.isdecimal() else -1.0
    return None
