"""How fast is training, compared with the TFRS tutorials' way on the same data in one run?

    python -m benchmarks.train [--quick] [--json] [--data NAME ...] [--root FOLDER]

Ours learns from every position of a timeline in one pass. The stock way writes one Example per
event, with a copy of its history, reads it from TFRecord, parses and pads whole batches, and calls
`model.fit` on a `tfrs.Model`. Both have the same towers and as many positives per batch; stock has
the cheaper loss (only the batch's own items), the optimizer of the tutorials, and computes only the
last position wherever that is enough. Epochs of ours and stretches of stock steps alternate,
medians are reported.

The cost of input in a step: the full step compared with the same batches from memory, which counts
waiting and the time lost to input on shared cores; and the input alone. In-training metrics:
seconds of the ranking metrics compared with those of an epoch's training steps.

Each data set, and the optimizers, have their own process. Data sets are as in `benchmarks.quality`;
the output of their data stages is stored under --root.
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

from benchmarks.quality import data as quality_data

TANDEM, STOCK = WAYS = ("tandem", "stock")


class Plan(NamedTuple):
    """How much is measured."""

    events: int
    """Events of the simulated shop."""
    repeats: int
    """Measured epochs of ours, and stretches of stock steps."""
    steps: int
    """Steps of a stretch of stock."""
    catalogues: tuple[int, ...]
    """Numbers of items for the optimizers."""


WHOLE = Plan(60_000, 3, 12, (10_000, 100_000, 1_000_000))
QUICK = Plan(20_000, 2, 8, (10_000, 100_000))


def main() -> None:
    """Measures, then prints a table or, with --json, only one JSON object."""
    args = _arguments()
    plan = QUICK if args.quick else WHOLE
    if args.root is not None:
        measurements = measure(plan, args.data, args.root.absolute())
    else:
        with tempfile.TemporaryDirectory() as folder:
            measurements = measure(plan, args.data, pathlib.Path(folder))
    print(json.dumps(measurements, indent=1) if args.json else table(measurements))


def measure(plan: Plan, names: list[str], root: pathlib.Path) -> dict[str, Any]:
    """All measurements, as printed with --json."""
    sizes = [str(number) for number in (plan.events, plan.repeats, plan.steps)]
    data = {
        name: summary(_run("benchmarks.train.speed", name, str(root), *sizes)) for name in names
    }
    catalogues = [str(items) for items in plan.catalogues]
    steps = _run("benchmarks.train.optimizers", str(plan.steps), *catalogues)
    return {"data": data, "milliseconds_a_step_by_items": steps}


def summary(measured: dict[str, Any]) -> dict[str, Any]:
    """Summarises `measured`, the output of `benchmarks.train.speed`; shares are between 0 and 1."""
    speed = {
        TANDEM: statistics.median(measured["ours"]),
        STOCK: statistics.median(measured["stock"]),
    }
    training = [measured["events"] / rate for rate in measured["ours"]]
    inputs = {TANDEM: measured["input"]["ours"], STOCK: measured["input"]["stock"]}
    sizes = ("events", "timelines", "mean_length", "positives_per_batch", "steps_per_epoch")
    return {name: measured[name] for name in sizes} | {
        "events_per_second": {way: round(rate) for way, rate in speed.items()},
        "slowest_to_fastest": {
            TANDEM: [round(min(measured["ours"])), round(max(measured["ours"]))],
            STOCK: [round(min(measured["stock"])), round(max(measured["stock"]))],
        },
        "ratio_to_stock": round(speed[TANDEM] / speed[STOCK], 1),
        "input": {way: input_costs(seconds) for way, seconds in inputs.items()},
        "metrics_share": round(
            statistics.median(measured["measuring"]) / statistics.median(training), 3
        ),
    }


def input_costs(seconds: dict[str, float]) -> dict[str, float]:
    """A step's milliseconds, the share that input adds to it, and the time of the input alone as a
    share of the step.

    The first share may be slightly below 0 if input costs less than the noise of the clock.
    """
    step = seconds["step"]
    return {
        "step_ms": round(1000 * step, 2),
        "added": round(1 - seconds["from_memory"] / step, 3),
        "alone": round(seconds["input_alone"] / step, 3),
    }


def table(result: dict[str, Any]) -> str:
    """`result` as a readable table."""
    lines = [
        f"{'':<16}{'events':>10}{'mean length':>13}{'':>8}{'events/s':>10}{'step ms':>10}"
        f"{'input adds':>12}{'input alone':>13}"
    ]
    for name, values in result["data"].items():
        for way in WAYS:
            costs = values["input"][way]
            lines.append(
                f"{name:<16}{values['events']:>10,}{values['mean_length']:>13}{way:>8}"
                f"{values['events_per_second'][way]:>10,}{costs['step_ms']:>10.1f}"
                f"{costs['added']:>12.1%}{costs['alone']:>13.1%}"
            )
        lines.append(
            f"{values['ratio_to_stock']} times the events a second of the stock way; in-training "
            f"metrics cost {values['metrics_share']:.1%} of an epoch's training"
        )
    lines.append(f"{'':<16}{'items':>10}{'sparse ms':>13}{'dense ms':>12}")
    for items, by_update in result["milliseconds_a_step_by_items"].items():
        sparse, dense = by_update["sparse"], by_update["dense"]
        lines.append(f"{'a step':<16}{int(items):>10,}{sparse:>13.1f}{dense:>12.1f}")
    return "\n".join(lines)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.train", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, for a first look")
    parser.add_argument("--json", action="store_true", help="print only JSON on stdout")
    parser.add_argument(
        "--data",
        nargs="+",
        choices=quality_data.NAMES,
        default=[quality_data.SIMULATED],
        help="data sets (default: %(default)s)",
    )
    parser.add_argument(
        "--root", type=pathlib.Path, help="folder for data sets (default: temporary)"
    )
    return parser.parse_args()


def _run(module: str, *arguments: str) -> dict[str, Any]:
    """The JSON in the last line of the module's output; its messages go to stderr on failure."""
    keras_2 = {**os.environ, "TF_USE_LEGACY_KERAS": "1"}
    command = [sys.executable, "-m", module, *arguments]
    completed = subprocess.run(command, capture_output=True, text=True, check=False, env=keras_2)
    if completed.returncode:
        sys.exit(f"{module} failed with exit code {completed.returncode}:\n{completed.stderr}")
    return json.loads(completed.stdout.strip().rpartition("\n")[2])
