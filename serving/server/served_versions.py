"""The versions in memory: which one a request gets, and when one that leaves may go."""

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
    """What became of one version: its state in ModelService's terms, and why it failed."""

    state: int
    code: grpc.StatusCode = grpc.StatusCode.OK
    message: str = ""


@dataclasses.dataclass
class _Serving:
    servable: Servable
    requests: int = 0
    leaving: bool = False


class ServedVersions:
    """Loaded versions by model, their labels and states; safe from any number of threads.

    A request keeps the version that it began with. One that leaves gets no further requests, is
    UNLOADING until its last has ended, and then is no longer held here.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._serving: dict[str, dict[int, _Serving]] = {}
        self._labels: dict[str, dict[str, int]] = {}
        self._states: dict[tuple[str, int], VersionState] = {}
        self._ended = 0
        self._told: list[Callable[[Mapping[str, int]], None]] = []

    def tell(self, changed: Callable[[Mapping[str, int]], None]) -> None:
        """Has `changed` called with what is available, now and whenever that has changed."""
        self._told.append(changed)
        changed(self.available())

    @contextlib.contextmanager
    def using(self, spec: model_pb2.ModelSpec) -> Iterator[Servable]:
        """The servable that a request asks for, the latest where it names no version or label.

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

    def known(self, name: str) -> str:
        """`name` where a version of that model serves, "" otherwise."""
        with self._lock:
            return name if name in self._serving else ""

    def states(self, name: str) -> dict[int, VersionState]:
        """Every version of a model ever tried, newest first; empty for an unknown model."""
        with self._lock:
            found = {version: state for (of, version), state in self._states.items() if of == name}
        return dict(sorted(found.items(), reverse=True))

    def ended(self) -> int:
        """How many versions have left and been drained so far."""
        with self._lock:
            return self._ended

    def report(self, name: str, version: int, state: VersionState) -> None:
        """Sets the state of a version that does not serve."""
        with self._lock:
            self._states[name, version] = state

    def add(self, servable: Servable) -> None:
        """Has a loaded version serve."""
        with self._lock:
            versions = self._serving.setdefault(servable.name, {})
            versions[servable.version] = _Serving(servable)
            self._states[servable.name, servable.version] = VersionState(State.AVAILABLE)
        _log.info("%s %d serves", servable.name, servable.version)
        self._tell()

    def leave(self, name: str, version: int) -> None:
        """Takes a serving version out; it ends with its last request."""
        with self._lock:
            serving = self._serving[name].pop(version)
            if not self._serving[name]:
                del self._serving[name]
            serving.leaving = True
            self._states[name, version] = VersionState(State.UNLOADING)
            self._end_if_drained(serving)
        self._tell()

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

    def _tell(self) -> None:
        for changed in self._told:
            changed(self.available())

    def _find(self, spec: model_pb2.ModelSpec) -> _Serving:
        if not spec.name:
            raise invalid_argument("ModelSpec has no name specified.")
        versions = self._serving.get(spec.name, {})
        version = self._asked_version(spec)
        if version is None and not versions:
            raise not_found(f"Servable not found for request: Latest({spec.name})")
        if version is not None and version not in versions:
            raise not_found(f"Servable not found for request: Specific({spec.name}, {version})")
        return versions[max(versions) if version is None else version]

    def _asked_version(self, spec: model_pb2.ModelSpec) -> int | None:
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
        if not serving.leaving or serving.requests:
            return
        self._ended += 1
        of = (serving.servable.name, serving.servable.version)
        if self._states[of].state == State.UNLOADING:  # or the version was loaded anew meanwhile
            self._states[of] = VersionState(State.END)
