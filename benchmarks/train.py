"""How fast is training? Beside the way of the TFRS tutorials, on the same data, in one run.

    python -m benchmarks.train [--quick] [--json] [--data NAME ...] [--root FOLDER]

Ours learns from every position of a timeline in one pass. The stock way writes an Example an event,
with a copy of its history, reads it from TFRecord, parses and pads whole batches, and calls
`model.fit` on a `tfrs.Model`. Both have the same towers and as many positives a batch; stock has
the cheaper loss (the own items of the batch), the optimizer of the tutorials, and computes what is
needed of the last position alone there alone. Epochs of ours and stretches of stock take turns,
medians are reported.

What input costs a step: the step as it is beside the same batches from memory, which counts waiting
and what is lost to input on shared cores; and the input alone. In-training metrics: seconds of
the ranking metrics beside those of an epoch's training steps.

Each data set, and the optimizers, have a process of their own. Data sets are as in
`benchmarks.quality`; what the data stages made of them is kept below --root.
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

from benchmarks import quality_data

TANDEM, STOCK = WAYS = ("tandem", "stock")


class Plan(NamedTuple):
    """How much is measured."""

    events: int
    """Of the simulated shop."""
    repeats: int
    """Counted epochs of ours, and stretches of stock."""
    steps: int
    """Of a stretch of stock."""
    catalogues: tuple[int, ...]
    """Items, for the optimizers."""


WHOLE = Plan(60_000, 3, 12, (10_000, 100_000, 1_000_000))
QUICK = Plan(20_000, 2, 8, (10_000, 100_000))


def main() -> None:
    """Measures, then prints a table or, with --json, one JSON object alone."""
    args = _arguments()
    plan = QUICK if args.quick else WHOLE
    if args.root is not None:
        measurements = measure(plan, args.data, args.root.absolute())
    else:
        with tempfile.TemporaryDirectory() as folder:
            measurements = measure(plan, args.data, pathlib.Path(folder))
    print(json.dumps(measurements, indent=1) if args.json else table(measurements))


def measure(plan: Plan, names: list[str], root: pathlib.Path) -> dict[str, Any]:
    """All measurements, as they are printed with --json."""
    sizes = [str(number) for number in (plan.events, plan.repeats, plan.steps)]
    data = {
        name: summary(_run("benchmarks.train_speed", name, str(root), *sizes)) for name in names
    }
    catalogues = [str(items) for items in plan.catalogues]
    steps = _run("benchmarks.train_optimizers", str(plan.steps), *catalogues)
    return {"data": data, "milliseconds_a_step_by_items": steps}


def summary(interacted: dict[str, Any]) -> dict[str, Any]:
    """`interacted` as `benchmarks.train_speed` prints it; shares are of 1."""
    speed = {
        TANDEM: statistics.median(interacted["ours"]),
        STOCK: statistics.median(interacted["stock"]),
    }
    training = [interacted["events"] / rate for rate in interacted["ours"]]
    inputs = {TANDEM: interacted["input"]["ours"], STOCK: interacted["input"]["stock"]}
    sizes = ("events", "timelines", "mean_length", "positives_per_batch", "steps_per_epoch")
    return {name: interacted[name] for name in sizes} | {
        "events_per_second": {way: round(rate) for way, rate in speed.items()},
        "slowest_to_fastest": {
            TANDEM: [round(min(interacted["ours"])), round(max(interacted["ours"]))],
            STOCK: [round(min(interacted["stock"])), round(max(interacted["stock"]))],
        },
        "ratio_to_stock": round(speed[TANDEM] / speed[STOCK], 1),
        "input": {way: input_costs(seconds) for way, seconds in inputs.items()},
        "metrics_share": round(
            statistics.median(interacted["measuring"]) / statistics.median(training), 3
        ),
    }


def input_costs(seconds: dict[str, float]) -> dict[str, float]:
    """Of a step: its milliseconds, the share that input adds to it, and the share that making the
    input alone takes.

    The first share may come out a little below 0, where input costs less than the clock's noise.
    """
    step = seconds["step"]
    return {
        "step_ms": round(1000 * step, 2),
        "added": round(1 - seconds["from_memory"] / step, 3),
        "alone": round(seconds["input_alone"] / step, 3),
    }


def table(result: dict[str, Any]) -> str:
    """`result` for people."""
    lines = [
        f"{'':<16}{'events':>10}{'mean length':>13}{'':>8}{'events/s':>10}{'step ms':>10}"
        f"{'input adds':>12}{'input alone':>13}"
    ]
    for name, of_data in result["data"].items():
        for way in WAYS:
            costs = of_data["input"][way]
            lines.append(
                f"{name:<16}{of_data['events']:>10,}{of_data['mean_length']:>13}{way:>8}"
                f"{of_data['events_per_second'][way]:>10,}{costs['step_ms']:>10.1f}"
                f"{costs['added']:>12.1%}{costs['alone']:>13.1%}"
            )
        lines.append(
            f"{of_data['ratio_to_stock']} times the events a second of the stock way; in-training "
            f"metrics cost {of_data['metrics_share']:.1%} of an epoch's training"
        )
    lines.append(f"{'':<16}{'items':>10}{'sparse ms':>13}{'dense ms':>12}")
    for items, by_update in result["milliseconds_a_step_by_items"].items():
        sparse, dense = by_update["sparse"], by_update["dense"]
        lines.append(f"{'a step':<16}{int(items):>10,}{sparse:>13.1f}{dense:>12.1f}")
    return "\n".join(lines)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.train", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, for a first look")
    parser.add_argument("--json", action="store_true", help="print JSON alone on stdout")
    parser.add_argument(
        "--data",
        nargs="+",
        choices=quality_data.NAMES,
        default=[quality_data.SIMULATED],
        help="data sets (default: %(default)s)",
    )
    parser.add_argument(
        "--root", type=pathlib.Path, help="where data sets are kept (default: nowhere)"
    )
    return parser.parse_args()


def _run(module: str, *arguments: str) -> dict[str, Any]:
    """The JSON in the last line of the module's output; its messages go to stderr, where it
    fails.
    """
    keras_2 = {**os.environ, "TF_USE_LEGACY_KERAS": "1"}
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=keras_2)
    if done.returncode:
        sys.exit(f"{module} failed with exit code {done.returncode}:\n{done.stderr}")
    return json.loads(done.stdout.strip().rpartition("\n")[2])


if __name__ == "__main__":
    main()
