"""The versions in memory: selects one for each request, and unloads drained ones."""

import contextlib
import dataclasses
import logging
import threading
from collections.abc import Callable, Iterator, Mapping

import grpc
from tensorflow_serving.apis import get_model_status_pb2, model_pb2

from serving.protocol.errors import RequestError, invalid_argument, not_found
from serving.server.servable import Servable

_log = logging.getLogger(__name__)
State = get_model_status_pb2.ModelVersionStatus.State


@dataclasses.dataclass(frozen=True)
class VersionState:
    """State of one version in terms of ModelService, and the reason of a failure."""

    state: int
    code: grpc.StatusCode = grpc.StatusCode.OK
    message: str = ""


@dataclasses.dataclass
class _Serving:
    servable: Servable
    requests: int = 0
    removed: bool = False


class ServedVersions:
    """Loaded versions by model, with their labels and states; thread-safe.

    A request keeps the version with which it began. A version that is removed gets no new requests,
    and is UNLOADING until its last request has ended; then it is released.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._serving: dict[str, dict[int, _Serving]] = {}
        self._labels: dict[str, dict[str, int]] = {}
        self._states: dict[tuple[str, int], VersionState] = {}
        self._ended = 0
        self._listeners: list[Callable[[Mapping[str, int]], None]] = []

    def subscribe(self, listener: Callable[[Mapping[str, int]], None]) -> None:
        """Calls `listener` with the available versions, now and after each change."""
        self._listeners.append(listener)
        listener(self.available())

    @contextlib.contextmanager
    def using(self, spec: model_pb2.ModelSpec) -> Iterator[Servable]:
        """The servable for a request: the latest version unless it names a version or label.

        It stays loaded until the block ends. Raises RequestError: NOT_FOUND for a model or version
        that does not serve, INVALID_ARGUMENT for a spec without a name or with an unknown label.
        """
        with self._lock:
            serving = self._find(spec)
            serving.requests += 1
        try:
            yield serving.servable
        finally:
            with self._lock:
                serving.requests -= 1
                self._end_if_drained(serving)

    def available(self) -> dict[str, int]:
        """Highest serving version of each model that has one."""
        with self._lock:
            return {name: max(versions) for name, versions in sorted(self._serving.items())}

    def versions(self, name: str) -> set[int]:
        """The serving versions of a model."""
        with self._lock:
            return set(self._serving.get(name, {}))

    def get_serving_name(self, name: str) -> str:
        """`name` where a version of that model serves, "" otherwise."""
        with self._lock:
            return name if name in self._serving else ""

    def states(self, name: str) -> dict[int, VersionState]:
        """State of every version that was ever tried, newest first; empty for an unknown model."""
        with self._lock:
            states = {version: state for (of, version), state in self._states.items() if of == name}
        return dict(sorted(states.items(), reverse=True))

    def ended(self) -> int:
        """Number of versions removed and drained so far."""
        with self._lock:
            return self._ended

    def report(self, name: str, version: int, state: VersionState) -> None:
        """Sets the state of a version that does not serve."""
        with self._lock:
            self._states[name, version] = state

    def add(self, servable: Servable) -> None:
        """Starts to serve a loaded version."""
        with self._lock:
            versions = self._serving.setdefault(servable.name, {})
            versions[servable.version] = _Serving(servable)
            self._states[servable.name, servable.version] = VersionState(State.AVAILABLE)
        _log.info("%s %d serves", servable.name, servable.version)
        self._notify()

    def remove(self, name: str, version: int) -> None:
        """Removes a serving version; it is released after its last request."""
        with self._lock:
            serving = self._serving[name].pop(version)
            if not self._serving[name]:
                del self._serving[name]
            serving.removed = True
            self._states[name, version] = VersionState(State.UNLOADING)
            self._end_if_drained(serving)
        self._notify()

    def label(self, labels: Mapping[str, Mapping[str, int]]) -> None:
        """Replaces the labels of all models: version by label by model."""
        with self._lock:
            self._labels = {name: dict(versions) for name, versions in labels.items()}

    def check_labels(self, labels: Mapping[str, Mapping[str, int]]) -> None:
        """Raises RequestError FAILED_PRECONDITION for a label of a version that does not serve."""
        with self._lock:
            for name, versions in labels.items():
                for version in versions.values():
                    if version not in self._serving.get(name, {}):
                        raise RequestError(
                            grpc.StatusCode.FAILED_PRECONDITION,
                            f"Request to assign label to version {version} of model {name}, which "
                            "is not currently available for inference",
                        )

    def _notify(self) -> None:
        for listener in self._listeners:
            listener(self.available())

    def _find(self, spec: model_pb2.ModelSpec) -> _Serving:
        if not spec.name:
            raise invalid_argument("ModelSpec has no name specified.")
        versions = self._serving.get(spec.name, {})
        version = self._requested_version(spec)
        if version is None and not versions:
            raise not_found(f"Servable not found for request: Latest({spec.name})")
        if version is not None and version not in versions:
            raise not_found(f"Servable not found for request: Specific({spec.name}, {version})")
        return versions[max(versions) if version is None else version]

    def _requested_version(self, spec: model_pb2.ModelSpec) -> int | None:
        choice = spec.WhichOneof("version_choice")
        if choice == "version":
            return spec.version.value
        if choice is None:
            return None
        version = self._labels.get(spec.name, {}).get(spec.version_label)
        if version is None:
            raise invalid_argument(f"Unrecognized servable version label: {spec.version_label}")
        return version

    def _end_if_drained(self, serving: _Serving) -> None:
        if not serving.removed or serving.requests:
            return
        self._ended += 1
        of = (serving.servable.name, serving.servable.version)
        if (
            self._states[of].state == State.UNLOADING
        ):  # otherwise the version was loaded again in the meantime
            self._states[of] = VersionState(State.END)
