"""Which version of which model serves: follows the folders that models are pushed to."""

import dataclasses
import logging
import pathlib
import threading
from concurrent import futures

import grpc
from tensorflow_serving.apis import get_model_status_pb2, model_pb2

from serving import pushed_versions, servable
from serving.request_error import invalid, not_found

_log = logging.getLogger(__name__)
State = get_model_status_pb2.ModelVersionStatus.State


@dataclasses.dataclass(frozen=True)
class VersionState:
    """What became of one version: its state in ModelService's terms, and why it failed."""

    state: int
    code: grpc.StatusCode = grpc.StatusCode.OK
    message: str = ""


class ModelStore:
    """The loaded models, one version each: the highest on disk that loads.

    `refresh` has one caller at a time; the readers may be any threads. A new version is loaded
    beside the old one and then takes its place in one assignment, so no request finds neither;
    requests under way keep the version that they began with. A version that does not load is
    logged, reported and not tried again until its folder is replaced. A model whose folder
    disappears keeps serving until a version of it is pushed anew.
    """

    def __init__(self, serving_dir: pathlib.Path) -> None:
        self._serving_dir = serving_dir
        self._available: dict[str, servable.Servable] = {}
        self._states: dict[tuple[str, int], VersionState] = {}
        self._refused: set[tuple[str, int, int, int]] = set()
        self._states_lock = threading.Lock()

    def refresh(self) -> None:
        """Loads what was pushed since the last call. Raises OSError for an unreadable folder."""
        for name in pushed_versions.models(self._serving_dir):
            for version in reversed(pushed_versions.versions(self._serving_dir, name)):
                if self._serves(name, version) or self._load(name, version):
                    break

    def available(self) -> dict[str, int]:
        """Serving version of each model that has one."""
        return {name: loaded.version for name, loaded in sorted(self._available.items())}

    def states(self, name: str) -> dict[int, VersionState]:
        """Every version of a model ever tried, newest first; empty for an unknown model."""
        with self._states_lock:
            found = {version: state for (of, version), state in self._states.items() if of == name}
        return dict(sorted(found.items(), reverse=True))

    def get(self, spec: model_pb2.ModelSpec) -> servable.Servable:
        """The servable that a request asks for, the latest where it names no version.

        Raises RequestError: NOT_FOUND for a model or version that does not serve, INVALID_ARGUMENT
        for a spec without a name or with a version label (none is declared).
        """
        if not spec.name:
            raise invalid("ModelSpec has no name specified.")
        if spec.version_label:
            raise invalid(f"Unrecognized servable version label: {spec.version_label}")
        loaded = self._available.get(spec.name)
        if spec.HasField("version"):
            if loaded is None or loaded.version != spec.version.value:
                raise not_found(
                    f"Servable not found for request: Specific({spec.name}, {spec.version.value})"
                )
        elif loaded is None:
            raise not_found(f"Servable not found for request: Latest({spec.name})")
        return loaded

    def _serves(self, name: str, version: int) -> bool:
        loaded = self._available.get(name)
        return loaded is not None and loaded.version == version

    def _load(self, name: str, version: int) -> bool:
        folder = pushed_versions.folder_of(self._serving_dir, name, version)
        status = folder.stat()
        identity = (name, version, status.st_ino, status.st_mtime_ns)
        if identity in self._refused:
            return False
        self._set_state(name, version, VersionState(State.LOADING))
        # A damaged SavedModel raises nearly anything (IndexError, OSError, OpError, …): the load is
        # a task of its own, and whatever ends it refuses this version alone.
        with futures.ThreadPoolExecutor(1, thread_name_prefix="load") as loader:
            task = loader.submit(servable.load, name, version, folder)
        error = task.exception()
        if error is not None:
            self._refused.add(identity)
            self._refuse(name, version, error)
            return False
        self._swap_in(task.result())
        return True

    def _swap_in(self, loaded: servable.Servable) -> None:
        before = self._available.get(loaded.name)
        self._available = {**self._available, loaded.name: loaded}
        self._set_state(loaded.name, loaded.version, VersionState(State.AVAILABLE))
        if before is not None:
            self._set_state(before.name, before.version, VersionState(State.END))
        _log.info("%s %d serves", loaded.name, loaded.version)

    def _refuse(self, name: str, version: int, error: BaseException) -> None:
        _log.error("%s %d does not load and is refused", name, version, exc_info=error)
        absent = isinstance(error, FileNotFoundError)
        code = grpc.StatusCode.NOT_FOUND if absent else grpc.StatusCode.UNKNOWN
        message = f"{type(error).__name__}: {error}"
        self._set_state(name, version, VersionState(State.END, code, message))

    def _set_state(self, name: str, version: int, state: VersionState) -> None:
        with self._states_lock:
            self._states[name, version] = state
