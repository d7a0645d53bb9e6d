"""The root of runs, `--root`: what lies where below it, on this machine or on an object store.

On a store, the components write their artifacts there themselves. Everything else goes there and
back as a whole: ML Metadata's SQLite file, which no store can hold open, the summary, the report,
the log and TensorBoard's lines of quality over runs.
"""

import contextlib
import dataclasses
import pathlib
import signal
import tempfile
from collections.abc import Iterator
from types import FrameType

from schema.errors import NoRunError, UsageError
from schema.storage import object_store
from schema.storage.locations import is_remote

_SUMMARY = "summary.json"


@dataclasses.dataclass(frozen=True)
class RunRoot:
    """One root: successive runs share it, and with it their cache."""

    root: pathlib.Path
    uri: str = ""
    """The root, where it is on an object store: components write there, and `root` is a folder of
    this machine for everything else."""

    @property
    def place(self) -> str:
        """The root as its user names it."""
        return self.uri or str(self.root)

    @property
    def artifacts(self) -> pathlib.Path:
        """What the components wrote."""
        return self.root / "artifacts"

    @property
    def metadata(self) -> pathlib.Path:
        """ML Metadata's SQLite file."""
        return self.root / "metadata.sqlite"

    @property
    def serving(self) -> pathlib.Path:
        """Pushed models: `<model>/<version>/`."""
        return self.root / "serving"

    @property
    def tensorboard(self) -> pathlib.Path:
        """TensorBoard's log directory."""
        return self.root / "tensorboard"

    @property
    def rejected(self) -> pathlib.Path:
        """Dead letters, by table."""
        return self.root / "rejected"

    @property
    def statistics(self) -> pathlib.Path:
        """Pages of the statistics of the latest run's data, `<table>.html`."""
        return self.root / "statistics"

    @property
    def tuning(self) -> pathlib.Path:
        """Trials that `tandem tune` has measured, a folder for each search."""
        return self.root / "tuning"

    @property
    def checkpoints(self) -> pathlib.Path:
        """What an interrupted training goes on from; empty once it has ended."""
        return self.root / "checkpoints"

    @property
    def log(self) -> pathlib.Path:
        """Full log of the latest run."""
        return self.root / "run.log"

    @property
    def summary(self) -> pathlib.Path:
        """summary.json of the latest finished run."""
        return self.root / "summary.json"

    @property
    def backfill(self) -> pathlib.Path:
        """backfill.json: the days of `tandem backfill`; its page lies beside it."""
        return self.root / "backfill.json"

    @property
    def report(self) -> pathlib.Path:
        """The same for people: a page that opens offline."""
        return self.root / "report.html"


def open_local_root(root: pathlib.Path) -> RunRoot:
    """The directory of a run to be, made where it is not there; UsageError where it cannot be."""
    run = RunRoot(root.absolute())
    try:
        run.root.mkdir(parents=True, exist_ok=True)
        run.log.touch()
    except OSError as error:
        raise UsageError(
            f"expected a folder to write the run into at {root}, received: {error.strerror}; "
            "give another with --root"
        ) from error
    return run


def get_finished_root(root: pathlib.Path) -> RunRoot:
    """The run at `root`; NoRunError where none has finished there."""
    run = RunRoot(root.absolute())
    if not run.summary.exists():
        raise NoRunError(
            f"expected a finished run at {root}, found no summary.json there; "
            f"run `tandem run --config … --root {root}` first"
        )
    return run


@contextlib.contextmanager
def open_root(root: str) -> Iterator[RunRoot]:
    """The directory of a run to be, at a path or a URL.

    At a URL, metadata are fetched first; when the block ends, however it ends, they and what else
    was written to the folder of this machine are put there. SIGTERM, by which a cluster takes a
    machine away, ends it as Ctrl-C does. Raises UsageError where the store cannot be read or
    written, and, with nothing put there, where another run has put its metadata there meanwhile.
    """
    if not is_remote(root):
        yield open_local_root(pathlib.Path(root))
        return
    with tempfile.TemporaryDirectory(prefix="tandem-run-") as folder:
        run_root = RunRoot(pathlib.Path(folder), root)
        with object_store.translate_errors(root):
            fingerprint = _fetch_metadata(run_root)
        try:
            with _interrupt_on_sigterm():
                yield run_root
        finally:
            with object_store.translate_errors(root):
                _upload_root(run_root, fingerprint)


def _fetch_metadata(run_root: RunRoot) -> str:
    """Brings the metadata, and returns their fingerprint."""
    object_store.require_bucket(run_root.uri)
    fingerprint = object_store.compute_version(_get_metadata_uri(run_root))
    if fingerprint:
        run_root.metadata.write_bytes(object_store.read(_get_metadata_uri(run_root)))
    return fingerprint


def _upload_root(run_root: RunRoot, fingerprint: str) -> None:
    if object_store.compute_version(_get_metadata_uri(run_root)) != fingerprint:
        raise UsageError(
            f"expected to be the only run at {run_root.uri}, but another one has ended there "
            "meanwhile; what this one knows of its stages is not kept: run it again"
        )
    object_store.upload(run_root.root, run_root.uri, without=_SUMMARY)
    if run_root.summary.exists():
        object_store.upload_file(run_root.summary, f"{run_root.uri}/{_SUMMARY}")


def _get_metadata_uri(run_root: RunRoot) -> str:
    return f"{run_root.uri}/{run_root.metadata.name}"


@contextlib.contextmanager
def _interrupt_on_sigterm() -> Iterator[None]:
    handler = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, handler)


def read_summary(root: str) -> str:
    """summary.json of the finished run at a path or a URL; NoRunError where there is none."""
    if not is_remote(root):
        return get_finished_root(pathlib.Path(root)).summary.read_text(encoding="utf-8")
    with object_store.translate_errors(root):
        if object_store.is_file(f"{root}/{_SUMMARY}"):
            return object_store.read(f"{root}/{_SUMMARY}").decode()
    raise NoRunError(
        f"expected a finished run at {root}, found no summary.json there; "
        f"run `tandem run --config … --root {root}` first"
    )


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
