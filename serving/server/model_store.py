"""Follows the folders that models are pushed to: loads what is to serve, and unloads the rest."""

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
    """Keeps `served` to what the watched models' version policies take of what is on disk.

    A new version is loaded and warmed up beside those that serve. Versions that a policy no longer
    takes leave when one that it takes serves, so a model never has none because of a version that
    fails or a folder that disappears. A version that does not load, or refuses a request of its
    warmup, is logged, reported and not tried again until its folder is replaced. Threads may call
    any of it at once.
    """

    def __init__(
        self,
        watched: Callable[[], Sequence[WatchedModel]],
        limits: RequestLimits = DEFAULT_LIMITS,
    ) -> None:
        """`watched` is called at each refresh, until a configuration is applied; requests of a
        warmup have the same `limits` as others.
        """
        self.served = ServedVersions()
        self.metrics = Metrics()
        self._watched = watched
        self._limits = limits
        self._refused: set[tuple[str, int, int, int]] = set()
        self._skipped: set[tuple[str, str]] = set()
        self._changing = threading.Lock()
        self._collected = 0

    def refresh(self) -> None:
        """Loads what was pushed since the last call. Raises OSError for an unreadable folder."""
        with self._changing:
            self._follow_all(self._watched())

    def start(self) -> None:
        """The first refresh; labels may name versions that do not serve yet."""
        watched = self._watched()
        self.served.label({model.name: model.version_labels for model in watched})
        self.refresh()

    def apply(self, watched: Sequence[WatchedModel]) -> None:
        """Serves these models instead, and returns when they do; others leave.

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
                    self.served.leave(name, version)
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
            # Functions and their graphs refer to each other: without this a version's memory stays
            # taken until Python happens to look for such circles.
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
                self.served.leave(model.name, version)

    def _log_skipped(self, model: WatchedModel) -> None:
        """Once each."""
        for name, why in explain_skipped(model.base_path).items():
            if (model.name, name) not in self._skipped:
                self._skipped.add((model.name, name))
                _log.warning("%s: %s is passed over: %s", model.name, model.base_path / name, why)

    def _serves_or_loads(self, model: WatchedModel, version: int) -> bool:
        return version in self.served.versions(model.name) or self._load(model, version)

    def _load(self, model: WatchedModel, version: int) -> bool:
        folder = model.base_path / str(version)
        status = folder.stat()
        # Not its mtime, which copies keep; an inode is given to the next folder.
        identity = (model.name, version, status.st_ino, status.st_ctime_ns)
        if identity in self._refused:
            return False
        self.served.report(model.name, version, VersionState(State.LOADING))
        # A damaged SavedModel raises nearly anything (IndexError, OSError, OpError, …): the load is
        # a task of its own, and whatever ends it refuses this version alone.
        with futures.ThreadPoolExecutor(1, thread_name_prefix="load") as loader:
            task = loader.submit(self._loaded, model.name, version, folder)
        error = task.exception()
        if error is not None:
            self._refused.add(identity)
            self._refuse(model.name, version, error)
            return False
        self.served.add(task.result())
        return True

    def _loaded(self, name: str, version: int, folder: pathlib.Path) -> Servable:
        with self.metrics.load(folder):
            loaded = load_servable(name, version, folder)
        warmup.replay(loaded, folder, self.metrics, self._limits)
        return loaded

    def _refuse(self, name: str, version: int, error: BaseException) -> None:
        _log.error("%s %d does not load and is refused: %s", name, version, _describe_error(error))
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
    """Looks for pushed versions every second, in a thread of its own, until the block ends; and
    every twenty seconds gives back the memory of requests that were answered.
    """
    polls = itertools.count(1)

    def follow() -> None:
        if next(polls) % _POLLS_A_TRIM == 0:
            release_free_memory()
        try:
            store.refresh()
        except OSError as error:  # a folder renamed or unreadable at this moment
            _log.warning("cannot look for new versions, trying again: %s", error)

    return run_periodically("follow-versions", _POLL_SECONDS, follow)


def release_free_memory() -> None:
    """Gives memory that is free within the process back to the operating system. Does nothing where
    the C library has no `malloc_trim`; glibc has.

    Its allocator keeps what is freed. Calls of many sizes leave holes of many sizes, so a server
    would hold more and more memory without using more.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
