"""The time that calls under way have when a server ends."""

import time

_LEAST_SECONDS = 0.3


class Grace:
    """One for all that has to end: whatever waits first leaves less to the next."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end: float | None = None

    def begin(self) -> None:
        """The server ends now."""
        self._end = time.monotonic() + self._seconds

    def left(self) -> float:
        """Seconds, never less than it takes to write an answer that is there already."""
        if self._end is None:
            return self._seconds
        return max(_LEAST_SECONDS, self._end - time.monotonic())
