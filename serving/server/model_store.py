"""Follows the folders to which models are pushed: loads selected versions, unloads others."""

import contextlib
import ctypes
import gc
import itertools
import logging
import pathlib
import threading
from collections.abc import Callable, Sequence
from concurrent import futures

import grpc
import tensorflow as tf

from serving.config import RequestLimits
from serving.protocol.errors import RequestError
from serving.protocol.limits import DEFAULT_LIMITS
from serving.server import warmup
from serving.server.metrics import Metrics
from serving.server.model_config import WatchedModel, select_versions
from serving.server.servable import Servable, load_servable
from serving.server.served_versions import ServedVersions, State, VersionState
from serving.versions.local import explain_skipped, list_versions_in
from serving.versions.polling import run_periodically

_log = logging.getLogger(__name__)
_POLL_SECONDS = 1.0
_POLLS_A_TRIM = 20


class ModelStore:
    """Keeps `served` equal to the versions on disk that the policies of the watched models select.

    A new version is loaded and warmed up while the others serve. Versions that a policy no longer
    selects are removed only when a selected one serves, so a failed version or a missing folder
    never leaves a model without a version. A version that does not load, or fails a warmup request,
    is logged, reported and not tried again until its folder is replaced. Thread-safe.
    """

    def __init__(
        self,
        watched: Callable[[], Sequence[WatchedModel]],
        limits: RequestLimits = DEFAULT_LIMITS,
    ) -> None:
        """`watched` is called at each refresh until a configuration is applied; warmup requests
        have the same `limits` as others.
        """
        self.served = ServedVersions()
        self.metrics = Metrics()
        self._watched = watched
        self._limits = limits
        self._rejected: set[tuple[str, int, int, int]] = set()
        self._skipped: set[tuple[str, str]] = set()
        self._changing = threading.Lock()
        self._collected = 0

    def refresh(self) -> None:
        """Loads versions pushed since the last call. Raises OSError for an unreadable folder."""
        with self._changing:
            self._follow_all(self._watched())

    def start(self) -> None:
        """The first refresh; labels may name versions that do not serve yet."""
        watched = self._watched()
        self.served.label({model.name: model.version_labels for model in watched})
        self.refresh()

    def apply(self, watched: Sequence[WatchedModel]) -> None:
        """Replaces the served models by these; returns when they serve and others are removed.

        Raises RequestError: FAILED_PRECONDITION, with nothing changed, for a label whose version
        does not serve already; UNKNOWN where a new model has no version that loads.
        """
        labels = {model.name: model.version_labels for model in watched}
        with self._changing:
            self.served.check_labels(labels)
            self.served.label(labels)
            self._watched = lambda: watched
            self._follow_all(watched)
            for name in set(self.served.available()) - set(labels):
                for version in self.served.versions(name):
                    self.served.remove(name, version)
        missing = sorted(set(labels) - set(self.served.available()))
        if missing:
            raise RequestError(
                grpc.StatusCode.UNKNOWN,
                f"{len(missing)} model(s) did not become available: {{{', '.join(missing)}}}",
            )

    def _follow_all(self, watched: Sequence[WatchedModel]) -> None:
        for model in watched:
            self._follow(model)
        ended = self.served.ended()
        if ended > self._collected:
            # Functions and their graphs have reference cycles: without this the memory of a version
            # is not freed until Python's next cycle collection.
            gc.collect()
            release_free_memory()
            self._collected = ended

    def _follow(self, model: WatchedModel) -> None:
        self._log_skipped(model)
        on_disk = list_versions_in(model.base_path)
        versions, enough = select_versions(model.policy, on_disk)
        serving: set[int] = set()
        for version in versions:
            if len(serving) < enough and self._serves_or_loads(model, version):
                serving.add(version)
        if serving:
            for version in self.served.versions(model.name) - serving:
                self.served.remove(model.name, version)

    def _log_skipped(self, model: WatchedModel) -> None:
        """Logs each skipped entry once."""
        for name, why in explain_skipped(model.base_path).items():
            if (model.name, name) not in self._skipped:
                self._skipped.add((model.name, name))
                _log.warning("%s: %s is skipped: %s", model.name, model.base_path / name, why)

    def _serves_or_loads(self, model: WatchedModel, version: int) -> bool:
        return version in self.served.versions(model.name) or self._load(model, version)

    def _load(self, model: WatchedModel, version: int) -> bool:
        folder = model.base_path / str(version)
        status = folder.stat()
        # Copies keep the mtime, and a new folder may reuse an inode, so ctime is compared too.
        identity = (model.name, version, status.st_ino, status.st_ctime_ns)
        if identity in self._rejected:
            return False
        self.served.report(model.name, version, VersionState(State.LOADING))
        # A damaged SavedModel may raise almost any exception (IndexError, OSError, OpError, …): the
        # load is a separate task, and any exception rejects only this version.
        with futures.ThreadPoolExecutor(1, thread_name_prefix="load") as loader:
            task = loader.submit(self._loaded, model.name, version, folder)
        error = task.exception()
        if error is not None:
            self._rejected.add(identity)
            self._reject(model.name, version, error)
            return False
        self.served.add(task.result())
        return True

    def _loaded(self, name: str, version: int, folder: pathlib.Path) -> Servable:
        with self.metrics.load(folder):
            loaded = load_servable(name, version, folder)
        warmup.replay(loaded, folder, self.metrics, self._limits)
        return loaded

    def _reject(self, name: str, version: int, error: BaseException) -> None:
        _log.error("%s %d does not load and is rejected: %s", name, version, _describe_error(error))
        _log.debug("%s %d", name, version, exc_info=error)
        self.served.report(
            name, version, VersionState(State.END, _get_code(error), _describe_error(error))
        )


def _get_code(error: BaseException) -> grpc.StatusCode:
    if isinstance(error, RequestError):
        return error.code
    absent = isinstance(error, FileNotFoundError | tf.errors.NotFoundError)
    return grpc.StatusCode.NOT_FOUND if absent else grpc.StatusCode.UNKNOWN


def _describe_error(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def follow_versions(store: ModelStore) -> contextlib.AbstractContextManager[None]:
    """Polls for pushed versions every second in a separate thread until the block ends, and every
    twenty seconds returns free memory to the operating system.
    """
    polls = itertools.count(1)

    def follow() -> None:
        if next(polls) % _POLLS_A_TRIM == 0:
            release_free_memory()
        try:
            store.refresh()
        except OSError as error:  # a folder renamed or unreadable at this moment
            _log.warning("cannot list new versions, will retry: %s", error)

    return run_periodically("follow-versions", _POLL_SECONDS, follow)


def release_free_memory() -> None:
    """Returns free memory of the process to the operating system. Does nothing if the C library has
    no `malloc_trim`, which glibc has.

    The allocator keeps freed memory. Calls of different sizes fragment it, so the memory of a
    server would otherwise grow without being used.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
