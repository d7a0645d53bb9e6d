"""How fast is ingestion, compared with TFX's CsvExampleGen on the same file in one run?

    python -m benchmarks.ingest [--quick] [--json] [--folder FOLDER]

Each measurement has its own process: a TFX pipeline of one component, ours with its preflight check
of the input. The pipeline is timed; imports are not. CsvExampleGen writes rows unchanged; ours
checks, orders and splits them and writes timelines.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
from typing import Any, NamedTuple

SIZES = (100_000, 1_000_000, 10_000_000)
COMPARED = 1_000_000
QUICK_SIZES = (100_000,)
QUICK_COMPARED = 100_000
SEED = 1
TANDEM = "tandem"
STOCK = "csv_example_gen"


class Plan(NamedTuple):
    """The sizes that are measured."""

    sizes: tuple[int, ...]
    """Events of the files that our ingestion reads."""
    compared: int
    """The size that CsvExampleGen also reads."""


def main() -> None:
    """Measures, then prints a table or, with --json, only one JSON object."""
    args = _arguments()
    plan = Plan(QUICK_SIZES, QUICK_COMPARED) if args.quick else Plan(SIZES, COMPARED)
    if args.folder is not None:
        measurements = measure(plan, args.folder)
    else:
        with tempfile.TemporaryDirectory() as folder:
            measurements = measure(plan, pathlib.Path(folder))
    print(json.dumps(measurements, indent=1) if args.json else table(measurements))


def measure(plan: Plan, folder: pathlib.Path) -> dict[str, Any]:
    """All measurements, as printed with --json. Logs already in `folder` are reused."""
    timings: dict[str, dict[int, dict[str, float]]] = {TANDEM: {}, STOCK: {}}
    for size in plan.sizes:
        log = _create_log(folder, size)
        timings[TANDEM][size] = _in_own_process(TANDEM, log)
        if size == plan.compared:
            timings[STOCK][size] = _in_own_process(STOCK, log)
    return summary(plan, timings)


def summary(plan: Plan, timings: dict[str, dict[int, dict[str, float]]]) -> dict[str, Any]:
    """Summarises `timings`: seconds and peak_mb by component and size. Missing measurements are
    null.
    """
    speed = {
        name: {str(size): round(size / one["seconds"]) for size, one in by_size.items()}
        for name, by_size in timings.items()
    }
    peak = {
        name: {str(size): round(one["peak_mb"]) for size, one in by_size.items()}
        for name, by_size in timings.items()
    }
    ours = timings[TANDEM]
    small, large = ours.get(1_000_000), ours.get(10_000_000)
    cost = round(large["seconds"] / small["seconds"], 2) if small and large else None
    stock = timings[STOCK][plan.compared]["seconds"]
    return {
        "ratio_to_csv_example_gen": round(stock / ours[plan.compared]["seconds"], 1),
        "compared_at_rows": plan.compared,
        "rows_per_second": speed,
        "peak_mb": peak,
        "cost_ratio_10m_to_1m": cost,
    }


def table(result: dict[str, Any]) -> str:
    """`result` as a readable table."""
    lines = [f"{'':<16}{'rows':>12}{'rows/s':>12}{'peak MB':>10}"]
    for name, speeds in result["rows_per_second"].items():
        for size, speed in speeds.items():
            peak = result["peak_mb"][name][size]
            lines.append(f"{name:<16}{int(size):>12,}{speed:>12,}{peak:>10,}")
    ratio, rows = result["ratio_to_csv_example_gen"], result["compared_at_rows"]
    lines.append(f"{ratio} times the rows a second of CsvExampleGen at {rows:,} rows")
    if result["cost_ratio_10m_to_1m"] is not None:
        lines.append(f"10 M rows cost {result['cost_ratio_10m_to_1m']} times what 1 M rows cost")
    return "\n".join(lines)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ingest", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, within two minutes")
    parser.add_argument("--json", action="store_true", help="print only JSON on stdout")
    parser.add_argument(
        "--folder", type=pathlib.Path, help="folder for simulated logs (default: temporary)"
    )
    return parser.parse_args()


def _create_log(folder: pathlib.Path, size: int) -> pathlib.Path:
    """A simulated shop's events as delimited text, in their own folder."""
    home = folder / f"events-{size}"
    if not home.exists():
        making = folder / f"events-{size}.making"
        _run("benchmarks.simulated_csv", str(making), str(size), str(SEED))
        making.rename(home)
    return home


def _in_own_process(name: str, log: pathlib.Path) -> dict[str, float]:
    with tempfile.TemporaryDirectory(dir=log.parent) as root:
        return json.loads(_run("benchmarks.one_ingestion", name, str(log), root))


def _run(module: str, *arguments: str) -> str:
    """The last line of the module's output; its messages go to stderr if it fails."""
    keras_2 = {**os.environ, "TF_USE_LEGACY_KERAS": "1"}
    command = [sys.executable, "-m", module, *arguments]
    completed = subprocess.run(command, capture_output=True, text=True, check=False, env=keras_2)
    if completed.returncode:
        sys.exit(f"{module} failed with exit code {completed.returncode}:\n{completed.stderr}")
    return completed.stdout.strip().rpartition("\n")[2]


if __name__ == "__main__":
    main()
