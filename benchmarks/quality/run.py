"""How good are the recommendations? Scored by an independent referee, with baselines and targets.

    python -m benchmarks.quality --data movietweetings --root runs/quality --seeds 1 2 3 [--json]
    python -m benchmarks.quality --data beauty --root runs/quality --seeds 1 2 3 --ablation

For each seed: `tandem run`, then `tandem batch --as-of test` in retrieval's order and after
ranking, then the referee's `score` of the lists. Popularity counters of a few lines are scored in
the same run. With --ablation, retrieval is also trained and measured without each of its parts. All
seeds of a data set share one root under --root, and so its data stages. Results are stored there:
after an interruption, the same command resumes. Use another root after a change of code. Public
data sets are read from $TANDEM_DATA (default: ../shared/data); MovieLens 1M is made there by its
script (see `benchmarks.quality.movielens`). The referee is $TANDEM_REFEREE
(default: ../shared/referee/score.py).
"""

import argparse
import json
import os
import pathlib
import sys
import warnings
from typing import Any

from benchmarks.quality import ablation, data, decisions, peers, published, spread, table
from benchmarks.quality import referee as quality_referee
from benchmarks.quality import runs as quality_runs
from benchmarks.quality import user_groups as groups
from benchmarks.quality.data import DataSet
from benchmarks.quality.decisions import Decision
from schema.errors import TandemError


def main() -> None:
    """Measures, then prints tables or, with --json, only one JSON object."""
    args = _arguments()
    os.environ["TF_USE_LEGACY_KERAS"] = "1"  # read when TensorFlow is first imported
    warnings.filterwarnings("ignore", "You are using a non-supported Python", FutureWarning)
    try:
        measurements = measure(args)
    except TandemError as error:
        sys.exit(f"quality: {error}")
    print(json.dumps(measurements, indent=1) if args.json else table.text(measurements))


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """All measurements, as printed with --json."""
    referee = quality_referee.script()
    data_set = data.prepare_data_set(args.data, args.root.absolute(), args.events)
    split = quality_referee.split(referee, data_set)
    seeds = quality_runs.Seeds(data_set, split, referee, args.overrides)
    runs = [seeds.measure(seed) for seed in args.seeds]
    baselines = peers.score_counters(data_set, split, referee)
    summary_values = summary(data_set, args.seeds, runs, baselines)
    if args.ablation:
        summary_values["ablation"] = ablation.rows(seeds, args.seeds)
    return summary_values


def summary(
    data_set: DataSet,
    seeds: list[int],
    runs: list[dict[str, Any]],
    baselines: dict[str, dict[str, float]],
) -> dict[str, Any]:
    """Summarises `runs`, the results for each seed; `baselines` are metrics of the counters by
    name.
    """
    measured = {
        stage: spread.summarise([run[stage] for run in runs]) for stage in quality_runs.STAGES
    }
    targets = published.TARGETS.get(data_set.name, {})
    return {
        "data": data_set.name,
        "seeds": seeds,
        "measured": measured,
        "decisions": decisions.summarise([Decision(**run["decision"]) for run in runs]),
        "groups": groups.summarise([run["groups"] for run in runs]),
        "baselines": baselines | data_set.ceiling(),
        "published": [peer._asdict() for peer in published.PEERS.get(data_set.name, ())],
        "targets": {
            stage: published.verdicts(targets, result) for stage, result in measured.items()
        },
        "all_targets_met": {
            stage: published.met(targets, result) for stage, result in measured.items()
        },
        "evaluator_minus_referee": max((run["evaluator_minus_referee"] for run in runs), key=abs),
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.quality",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", choices=data.NAMES, required=True)
    parser.add_argument(
        "--root", type=pathlib.Path, required=True, help="folder of the runs and their results"
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3], metavar="SEED")
    parser.add_argument(
        "--set", action="append", default=[], metavar="SECTION.KEY=VALUE", dest="overrides",
        help="override one value of the configuration; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--events", type=int, default=60_000, help="events of the simulated shop (60000)"
    )
    parser.add_argument(
        "--ablation", action="store_true", help="measure the contribution of each part, too"
    )
    parser.add_argument("--json", action="store_true", help="print only JSON on stdout")
    return parser.parse_args()
