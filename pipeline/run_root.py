"""What lies where below --root."""

import dataclasses
import pathlib

from schema.errors import NoRunError, UsageError


@dataclasses.dataclass(frozen=True)
class RunDirectory:
    """One root: successive runs share it, and with it their cache."""

    root: pathlib.Path
    uri: str = ""
    """The root, where it is on an object store: what components write is there, and `root` a folder
    of this machine for all else, see `pipeline.remote_root`."""

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


def opened(root: pathlib.Path) -> RunDirectory:
    """The directory of a run to be, made where it is not there; UsageError where it cannot be."""
    run = RunDirectory(root.absolute())
    try:
        run.root.mkdir(parents=True, exist_ok=True)
        run.log.touch()
    except OSError as error:
        raise UsageError(
            f"expected a folder to write the run into at {root}, received: {error.strerror}; "
            "give another with --root"
        ) from error
    return run


def finished(root: pathlib.Path) -> RunDirectory:
    """The run at `root`; NoRunError where none has finished there."""
    run = RunDirectory(root.absolute())
    if not run.summary.exists():
        raise NoRunError(
            f"expected a finished run at {root}, found no summary.json there; "
            f"run `tandem run --config … --root {root}` first"
        )
    return run
