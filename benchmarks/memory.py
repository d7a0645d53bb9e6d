"""How much memory does each stage need? The source of the defaults of `kubeflow.resources`.

    python -m benchmarks.memory [--events 100000 200000 1000000] [--root FOLDER] [--json]

A simulated shop with one user per 20 events and one item per 50 runs through the whole DAG, each
stage in its own process, like a Kubeflow task. Peak memory is the maximum of the process and its
children together: the kernel's own figure for the process (ru_maxrss) or, if larger, the sum of
proportional set sizes, sampled every 0.5 s. Both models train for one epoch: memory does not grow
with epochs.
"""

import argparse
import contextlib
import json
import logging
import multiprocessing
import os
import pathlib
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable

EVERY_SECONDS = 0.5
SEED = 7
_CONFIG = pathlib.Path(__file__).resolve().parent.parent / "configs" / "simulated.toml"
_SETTINGS = ["retrieval.epochs=1", "ranking.epochs=1", "blessing.baselines=[]"]


def main() -> None:
    """Measures, then prints a table or, with --json, only one JSON object."""
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    logging.disable(logging.INFO)
    args = _arguments()
    with contextlib.ExitStack() as stack:
        root = args.root or pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        result = {str(events): _measure(root, events) for events in args.events}
    print(json.dumps(result, indent=1) if args.json else table(result))


def table(result: dict[str, dict[str, float]]) -> str:
    """Formats `result`: megabytes by number of events and stage."""
    lines = [f"{'MB at most':<32}" + "".join(f"{int(size):>12,}" for size in result)]
    for stage in next(iter(result.values())):
        lines.append(f"{stage:<32}" + "".join(f"{by[stage]:>12,.0f}" for by in result.values()))
    return "\n".join(lines)


def measure_peak(work: Callable[[], object]) -> float:
    """Peak megabytes (10^6 bytes) of `work` in a fork of this process, its children included.
    Raises ChildProcessError if it fails.
    """
    process = multiprocessing.get_context("fork").Process(target=work)
    process.start()
    pid, peak, ended = process.pid, [0], threading.Event()
    assert pid is not None

    def look() -> None:
        while not ended.wait(EVERY_SECONDS):
            peak[0] = max(peak[0], _proportional_bytes(pid))

    looking = threading.Thread(target=look)
    looking.start()
    _, status, usage = os.wait4(pid, 0)
    ended.set()
    looking.join()
    if status:
        raise ChildProcessError(f"expected exit status 0, received {status}")
    return max(peak[0], usage.ru_maxrss * 1024) / 1e6


def _proportional_bytes(pid: int) -> int:
    """Bytes of a process and its descendants; processes that have ended count as 0."""
    try:
        lines = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8").splitlines()
        tasks = list(pathlib.Path(f"/proc/{pid}/task").iterdir())
        children = [child for task in tasks for child in (task / "children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return 0
    own = next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)
    return own + sum(_proportional_bytes(int(child)) for child in children)


def _measure(root: pathlib.Path, events: int) -> dict[str, float]:
    data, home = root / f"shop-{events}", root / f"run-{events}"
    if not data.exists():
        measure_peak(lambda: _simulate(data, events))
    shutil.rmtree(home, ignore_errors=True)  # a cached stage needs almost no memory
    return _peaks(data, home)


def _simulate(data: pathlib.Path, events: int) -> None:
    from pipeline.simulator.simulate import ShopSize, simulate

    users, items = max(events // 20, 100), min(max(events // 50, 200), 20_000)
    simulate(data, ShopSize(users, items, events), seed=SEED)


def _peaks(data: pathlib.Path, home: pathlib.Path) -> dict[str, float]:
    """Megabytes by stage. TensorFlow and TFX are imported here, before the forks; this process
    starts no threads of theirs, which a fork would lose.
    """
    from components.ingest.fingerprint import compute_input_fingerprint
    from pipeline import dag
    from pipeline.config.config import load_config
    from pipeline.execution.sequential import SequentialRunner
    from pipeline.metadata import build_connection_config
    from pipeline.run_root import open_local_root
    from pipeline.runner import build_run_locations

    peaks: dict[str, float] = {}

    class Forking(SequentialRunner):
        def launch(self, name: str, node: Callable[[], object]) -> None:
            peaks[name] = measure_peak(node)
            print(f"{name}: {peaks[name]:.0f} MB", file=sys.stderr)

    config = load_config(_CONFIG, _SETTINGS)
    at = open_local_root(home)
    fingerprint = compute_input_fingerprint(config.dataset, str(data))
    connection = build_connection_config(str(at.metadata))
    pipeline = dag.build_pipeline(
        config, build_run_locations(str(data), at), fingerprint, connection
    )
    Forking(lambda stage: None, lambda stage, seconds: None).run(pipeline)
    return peaks


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__)
    parser.add_argument(
        "--events", type=int, nargs="+", default=[100_000, 200_000, 1_000_000], metavar="N"
    )
    parser.add_argument("--root", type=pathlib.Path, help="folder for data")
    parser.add_argument("--json", action="store_true", help="print only JSON on stdout")
    return parser.parse_args()


if __name__ == "__main__":
    main()
