"""Where do the seconds of a run go? By stage and by cause.

    python -m benchmarks.run_profile [--config TOML --data FOLDER] [--set KEY=VALUE] [--json]

Runs the whole DAG in this process, without the cache, on a small simulated shop by default. Each
second belongs to one cause, the innermost that is at work: importing modules, tracing Python into
TensorFlow graphs, saving and loading SavedModels, Beam, training and prediction by Keras, waiting
for child processes, or what remains (`other`: reading artifacts, NumPy, ML Metadata).
"""

import argparse
import builtins
import collections
import contextlib
import functools
import importlib
import json
import os
import pathlib
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any

Seconds = dict[str, dict[str, float]]
_CHECKOUT = pathlib.Path(__file__).resolve().parents[1]
_OTHER = "other"
_FUNCTIONS = {
    "trace": ("tensorflow.python.framework.func_graph.func_graph_from_py_func",),
    "save": (
        "tensorflow.saved_model.save",
        "tensorflow_transform.saved.saved_transform_io_v2.write_v2_saved_model",
    ),
    "load": ("tensorflow.python.saved_model.load.load_partial",),
    "beam": ("apache_beam.pipeline.Pipeline.run",),
    "keras": ("tf_keras.src.engine.training.Model.fit",),
    "child": ("subprocess.Popen.communicate", "subprocess.Popen.wait"),
}
"""Cause -> the functions whose seconds it is."""
CAUSES = ("import", *_FUNCTIONS, _OTHER)


class Profile:
    """Seconds by stage and cause; the innermost open cause gets the time."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self.seconds: Seconds = collections.defaultdict(lambda: dict.fromkeys(CAUSES, 0.0))
        self._clock = clock
        self._stage = "start"
        self._causes = [_OTHER]
        self._since = clock()

    def begin_stage(self, name: str) -> None:
        """Further seconds belong to this stage."""
        self._add()
        self._stage = name

    @contextlib.contextmanager
    def cause(self, name: str) -> Iterator[None]:
        """Seconds inside the block belong to this cause, unless it contains another one."""
        self._add()
        self._causes.append(name)
        try:
            yield
        finally:
            self._add()
            self._causes.pop()

    def _add(self) -> None:
        now = self._clock()
        self.seconds[self._stage][self._causes[-1]] += now - self._since
        self._since = now


def wrap(profile: Profile, cause: str, path: str) -> None:
    """Replaces the function at the dotted `path` by one whose seconds belong to `cause`."""
    owner, name = _find(path)
    function = getattr(owner, name)

    @functools.wraps(function)
    def timed(*args: Any, **kwargs: Any) -> Any:
        with profile.cause(cause):
            return function(*args, **kwargs)

    setattr(owner, name, timed)


def _find(path: str) -> tuple[Any, str]:
    """The module or class that holds the function, and the function's name."""
    holder, name = path.rsplit(".", 1)
    try:
        return importlib.import_module(holder), name
    except ModuleNotFoundError:
        module, cls = holder.rsplit(".", 1)
        return getattr(importlib.import_module(module), cls), name


def measure(config: pathlib.Path, data: str, root: pathlib.Path, overrides: list[str]) -> Seconds:
    """Seconds by stage and cause of a run at the empty folder `root`."""
    profile = Profile()
    wrap_imports(profile)
    with profile.cause("import"):
        for cause, paths in _FUNCTIONS.items():
            for path in paths:
                wrap(profile, cause, path)
    _run(profile, config, data, root, overrides)
    profile.begin_stage("end")
    return {stage: row for stage, row in profile.seconds.items() if sum(row.values()) >= 0.05}


def wrap_imports(profile: Profile) -> None:
    """Seconds of an import statement that runs a module belong to `import`."""
    original = builtins.__import__

    def timed(name: str, *args: Any, **kwargs: Any) -> Any:
        if name in sys.modules:
            return original(name, *args, **kwargs)
        with profile.cause("import"):
            return original(name, *args, **kwargs)

    builtins.__import__ = timed


def _run(
    profile: Profile, path: pathlib.Path, data: str, root: pathlib.Path, overrides: list[str]
) -> None:
    from rich.console import Console

    from pipeline.config.config import load_config
    from pipeline.console import StageLines, redirect_output
    from pipeline.run_files import write_run_files
    from pipeline.run_root import open_root
    from pipeline.runner import run_pipeline
    from trainer.config.deterministic import prepare_process

    class ProfiledStages(StageLines):
        def start_stage(self, name: str) -> None:
            profile.begin_stage(name)
            super().start_stage(name)

        def finish_stage(self, name: str, seconds: float, cached: bool) -> None:
            super().finish_stage(name, seconds, cached)
            profile.begin_stage("between")

    config = load_config(path, overrides)
    prepare_process(config.trainer)
    with open_root(str(root)) as at, redirect_output(at.log) as (_, err):
        lines = ProfiledStages(Console(file=err))
        executed = run_pipeline(config, data, at, lines, None)
        profile.begin_stage("report")
        write_run_files(config, data, at, executed)


def format_table(seconds: Seconds) -> str:
    """One line per stage, the sums last; causes as columns."""
    sums = {cause: sum(row[cause] for row in seconds.values()) for cause in CAUSES}
    lines = [f"{'seconds':<30}" + "".join(f"{cause:>9}" for cause in (*CAUSES, "all"))]
    for stage, row in [*seconds.items(), ("all", sums)]:
        values = [*row.values(), sum(row.values())]
        lines.append(f"{stage:<30}" + "".join(f"{value:>9.1f}" for value in values))
    return "\n".join(lines)


def main() -> None:
    """Measures, then prints a table or, with --json, only one JSON object."""
    args = _arguments()
    os.environ["TF_USE_LEGACY_KERAS"] = "1"  # read when TensorFlow is first imported
    with tempfile.TemporaryDirectory() as folder:
        data = args.data or pathlib.Path(folder, "shop")
        if not data.exists():
            from pipeline.simulator.simulate import ShopSize, simulate

            simulate(data, ShopSize(args.events // 20, args.events // 40, args.events), seed=7)
        seconds = measure(args.config, str(data), pathlib.Path(folder, "run"), args.overrides)
    print(json.dumps(seconds, indent=1) if args.json else format_table(seconds))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.run_profile",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--config", type=pathlib.Path, default=_CHECKOUT / "configs/simulated.toml", help="the TOML"
    )
    parser.add_argument("--data", type=pathlib.Path, help="folder of the data (a simulated shop)")
    parser.add_argument(
        "--events", type=int, default=60_000, help="events of the simulated shop (60000)"
    )
    parser.add_argument(
        "--set", action="append", default=[], metavar="SECTION.KEY=VALUE", dest="overrides",
        help="override one value of the configuration; may be repeated",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print only JSON on stdout")
    return parser.parse_args()


if __name__ == "__main__":
    main()
