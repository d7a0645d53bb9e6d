"""The layout of a root, `--root`, on this machine or on an object store.

On an object store, components write their artifacts there directly, and `pipeline.remote_root`
keeps the other files up to date.
"""

import contextlib
import dataclasses
import pathlib
import signal
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from types import FrameType

from pipeline.remote_root import LOG, METADATA, SUMMARY, RemoteRoot
from schema.errors import NoRunError, UsageError
from schema.run_summary import RunSummary
from schema.storage import object_store
from schema.storage.locations import is_remote


@dataclasses.dataclass(frozen=True)
class RunRoot:
    """One root; successive runs at it share their cache."""

    root: pathlib.Path
    uri: str = ""
    """URL of a root on an object store, "" otherwise. Components write there, and `root` is a
    temporary folder for everything else."""
    remote: RemoteRoot | None = None
    """Keeps the files of a root on an object store during a run; None for other roots."""

    @property
    def location(self) -> str:
        """The URL or path that the user gave."""
        return self.uri or str(self.root)

    @property
    def artifacts(self) -> pathlib.Path:
        """Artifacts of the components."""
        return self.root / "artifacts"

    @property
    def metadata(self) -> pathlib.Path:
        """ML Metadata's SQLite file."""
        return self.root / METADATA

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
        """Rejected records (dead letters), by table."""
        return self.root / "rejected"

    @property
    def statistics(self) -> pathlib.Path:
        """Statistics of the latest run's data as pages, `<table>.html`."""
        return self.root / "statistics"

    @property
    def tuning(self) -> pathlib.Path:
        """Trials that `tandem tune` has measured, one folder per search."""
        return self.root / "tuning"

    @property
    def checkpoints(self) -> pathlib.Path:
        """Checkpoints from which an interrupted training resumes; deleted when it has finished."""
        return self.root / "checkpoints"

    @property
    def log(self) -> pathlib.Path:
        """Full log of the latest run."""
        return self.root / LOG

    @property
    def summary(self) -> pathlib.Path:
        """summary.json of the latest finished run."""
        return self.root / SUMMARY

    @property
    def backfill(self) -> pathlib.Path:
        """backfill.json, the days of `tandem backfill`; backfill.html shows them."""
        return self.root / "backfill.json"

    @property
    def report(self) -> pathlib.Path:
        """report.html of the latest finished run: a page that opens offline."""
        return self.root / "report.html"


def open_local_root(root: pathlib.Path) -> RunRoot:
    """The root of a new run. Creates the folder; raises UsageError if that fails."""
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
    """The root of a finished run; raises NoRunError if no run has finished there."""
    run = RunRoot(root.absolute())
    if not run.summary.exists():
        raise NoRunError(
            f"expected a finished run at {root}, found no summary.json there; "
            f"run `tandem run --config … --root {root}` first"
        )
    return run


@contextlib.contextmanager
def open_root(root: str) -> Iterator[RunRoot]:
    """The root of a new run, at a path or a URL.

    For a URL, the metadata are downloaded first. When the block ends, also with an error, they and
    all other local files are uploaded. Inside the block SIGTERM, which a cluster sends before it
    stops a machine, acts like Ctrl-C. Raises UsageError if the store cannot be read or written, and
    ConcurrentRun, which uploads nothing, as `pipeline.remote_root`.
    """
    if not is_remote(root):
        yield open_local_root(pathlib.Path(root))
        return
    with tempfile.TemporaryDirectory(prefix="tandem-run-") as folder:
        remote = RemoteRoot(pathlib.Path(folder), root)
        remote.fetch()
        try:
            with _interrupt_on_sigterm():
                yield RunRoot(pathlib.Path(folder), root, remote)
        finally:
            remote.store_all()


@contextlib.contextmanager
def _interrupt_on_sigterm() -> Iterator[None]:
    handler = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, handler)


def read_summary(root: str) -> str:
    """summary.json of the finished run at a path or a URL; raises NoRunError if there is none."""
    if not is_remote(root):
        return get_finished_root(pathlib.Path(root)).summary.read_text(encoding="utf-8")
    with object_store.translate_errors(root):
        if object_store.is_file(f"{root}/{SUMMARY}"):
            return object_store.read(f"{root}/{SUMMARY}").decode()
    raise NoRunError(
        f"expected a finished run at {root}, found no summary.json there; "
        f"run `tandem run --config … --root {root}` first"
    )


def load_summary(root: str) -> RunSummary:
    """summary.json of the finished run at a path or a URL.

    Raises NoRunError if there is none, UsageError if another version of Tandem wrote it.
    """
    return RunSummary.parse(read_summary(root), f"{root}/{SUMMARY}")


@contextlib.contextmanager
def fetch_artifacts(
    artifacts: Mapping[str, str], needed: Sequence[str], root: str
) -> Iterator[dict[str, str]]:
    """Yields the local folder of each artifact in `needed`, by name. Local artifacts stay where
    they are; remote ones are copied to a temporary folder, deleted when the block ends.

    Args:
        artifacts: `artifacts` of the run's summary.json: path or URL by name.
        needed: Names of the artifacts to fetch.
        root: Path or URL of the run, for the error message.

    Raises:
        NoRunError: The summary does not name an artifact, or the artifact no longer exists.
    """
    with tempfile.TemporaryDirectory(prefix="tandem-artifacts-") as folder:
        folders = {}
        for name in needed:
            uri = artifacts.get(name, "")
            copy = pathlib.Path(folder, name)
            folders[name] = str(_fetch_artifact(uri, copy)) if is_remote(uri) else uri
            if not uri or not pathlib.Path(folders[name]).exists():
                raise NoRunError(
                    f"expected the artifact {name} of the run at {root}, received "
                    f"{uri or 'none'} in summary.json, which is not there; "
                    f"run `tandem run --config … --root {root}` again"
                )
        yield folders


def _fetch_artifact(uri: str, copy: pathlib.Path) -> pathlib.Path:
    with object_store.translate_errors(uri):
        if object_store.list_files(uri):
            object_store.download(uri, copy)
    return copy


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
