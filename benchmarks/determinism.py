"""Does the same seed give the same model on other CPUs, and what does `trainer.deterministic` cost?

    python -m benchmarks.determinism [--events 6000] [--repeats 3] [--root FOLDER] [--json]

Retrieval is trained on a simulated shop, with one user per 20 events, each time in its own process.
The cases imitate other CPUs: fewer cores, fewer instructions (oneDNN's variable), and oneDNN's
operations, which TensorFlow uses by default only on CPUs with VNNI, AVX-512 BF16 or AMX. All train
on the output of the same data stages. The two cases that measure the cost alternate.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
from typing import Any, NamedTuple

CORES = len(os.sched_getaffinity(0))
METRICS = ("recall@10", "ndcg@10", "recall@100")


class Case(NamedTuple):
    """One way to train."""

    name: str
    deterministic: bool
    cores: int = CORES
    environment: dict[str, str] = {}


OFF, ON = Case("off", False), Case("on", True)
_ONEDNN, _AVX2, _AVX = (
    {"TF_ENABLE_ONEDNN_OPTS": "1"},
    {"ONEDNN_MAX_CPU_ISA": "AVX2"},
    {"ONEDNN_MAX_CPU_ISA": "AVX"},
)
CASES = (
    OFF,
    Case("off, 1 core", False, cores=1),
    Case("off, at most AVX2", False, environment=_AVX2),
    Case("off, at most AVX", False, environment=_AVX),
    Case("off, at most AVX2, oneDNN", False, environment=_AVX2 | _ONEDNN),
    ON,
    Case("on, 1 core", True, cores=1),
    Case("on, at most AVX, oneDNN", True, environment=_AVX | _ONEDNN),
)


def main() -> None:
    """Measures, then prints a table or, with --json, only one JSON object."""
    args = _parse_arguments()
    if args.root is not None:
        measured = measure(args.root.absolute(), args.events, args.repeats)
    else:
        with tempfile.TemporaryDirectory() as folder:
            measured = measure(pathlib.Path(folder), args.events, args.repeats)
    print(json.dumps(measured, indent=1) if args.json else format_table(measured))


def measure(root: pathlib.Path, events: int, repeats: int) -> dict[str, Any]:
    """All measurements, as printed with --json."""
    trained = {case.name: [train(case, root, events)] for case in CASES}
    for _ in range(repeats - 1):
        for case in (OFF, ON):
            trained[case.name].append(train(case, root, events))
    return {"avx512": has_avx512(), "cores": CORES, "cases": summarise(trained)}


def has_avx512() -> bool:
    """Whether this CPU has AVX-512; without it, no case can use it."""
    return "avx512f" in pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").split()


def summarise(trained: dict[str, list[dict[str, Any]]]) -> dict[str, dict[str, Any]]:
    """Each case's metrics, whether its vectors are bit-identical to those of `off` and `on`, and
    medians of the CPU seconds and seconds of its trainings.
    """
    return {
        name: {
            "metrics": runs[0]["metrics"],
            "as_off": runs[0]["digest"] == trained[OFF.name][0]["digest"],
            "as_on": runs[0]["digest"] == trained[ON.name][0]["digest"],
            "repeatable": len({run["digest"] for run in runs}) == 1,
            "trainings": len(runs),
            "cpu_seconds": statistics.median(run["cpu_seconds"] for run in runs),
            "seconds": statistics.median(run["seconds"] for run in runs),
        }
        for name, runs in trained.items()
    }


def format_table(measured: dict[str, Any]) -> str:
    """`measured` as a readable table."""
    cases = measured["cases"]
    off, on = cases[OFF.name], cases[ON.name]
    lines = [f"CPU with AVX-512: {measured['avx512']}; {measured['cores']} cores"]
    lines.append(
        f"{'deterministic':<28}"
        + "".join(f"{name:>12}" for name in METRICS)
        + f"{'as off':>8}{'as on':>8}{'CPU s':>8}{'s':>8}"
    )
    for name, case in cases.items():
        metrics = "".join(f"{case['metrics'][metric]:>12.6f}" for metric in METRICS)
        same = "".join(f"{'yes' if case[key] else 'no':>8}" for key in ("as_off", "as_on"))
        lines.append(f"{name:<28}{metrics}{same}{case['cpu_seconds']:>8.1f}{case['seconds']:>8.1f}")
    lines.append(
        f"on / off, medians of {on['trainings']}: "
        f"CPU seconds {on['cpu_seconds'] / off['cpu_seconds']:.3f}, "
        f"seconds {on['seconds'] / off['seconds']:.3f}; "
        f"each time the same vectors: off {off['repeatable']}, on {on['repeatable']}"
    )
    return "\n".join(lines)


def train(case: Case, root: pathlib.Path, events: int) -> dict[str, Any]:
    """The JSON that the training prints; its messages go to stderr if it fails."""
    arguments = [str(root), str(events), json.dumps(case.deterministic), str(case.cores)]
    command = [sys.executable, "-m", "benchmarks.determinism_training", *arguments]
    variables = {"TF_USE_LEGACY_KERAS": "1"} | case.environment
    finished = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **variables}
    )
    if finished.returncode:
        sys.exit(f"{case.name} failed with exit code {finished.returncode}:\n{finished.stderr}")
    return json.loads(finished.stdout.strip().rpartition("\n")[2])


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.determinism", description=__doc__)
    parser.add_argument("--events", type=int, default=6000, help="size of the simulated shop")
    parser.add_argument("--repeats", type=int, default=3, help="trainings of each case of the cost")
    parser.add_argument("--root", type=pathlib.Path, help="folder for data (default: temporary)")
    parser.add_argument("--json", action="store_true", help="print only JSON on stdout")
    return parser.parse_args()


if __name__ == "__main__":
    main()
