"""One search: configuration, checks, data stages, trials, the file for the next run.

The file that `tandem tune` leaves: the user's whole configuration with the best values in it.
"""

import contextlib
import hashlib
import json
import pathlib
import shlex
from typing import Any, NamedTuple

import tomli_w
from rich.console import Console

from components.ingest import preflight
from pipeline.config.config import TABLES, Config, load_config, read_toml
from pipeline.console import print_trials, redirect_output, show_stages
from pipeline.report import terminal
from pipeline.run_root import RunRoot, open_local_root
from schema.errors import UsageError
from schema.storage import atomic

TUNED_CONFIG_HEAD = "# Written by `tandem tune`"


class TuneRequest(NamedTuple):
    """What the command line says."""

    config: pathlib.Path
    data: pathlib.Path | None
    root: pathlib.Path
    out: pathlib.Path | None
    overrides: list[str]
    as_json: bool


def tune(asked: TuneRequest) -> dict[str, Any]:
    """Searches, writes the best configuration and prints what was found; raises what stopped it."""
    config = load_config(asked.config, asked.overrides)
    data = str((asked.data or asked.config.parent).absolute())
    preflight.check(config.dataset, data)
    at = open_local_root(asked.root)
    out = (asked.out or at.root / "tuned.toml").absolute()
    check_output(out)
    with redirect_output(at.log) as (stdout, stderr):
        console = terminal.make_console(stderr if asked.as_json else stdout)
        console.print(
            f"{config.name}: data {data}, root {at.root}, full log {at.log}", soft_wrap=True
        )
        stages, trials = _run_search(config, data, at, console)
        found = _summarise_search(config, stages, trials, out)
        best = found["best"]["retrieval"]
        write_tuned_config(out, asked.config, asked.overrides, best, _format_best_trial(found))
        if asked.as_json:
            stdout.write(json.dumps(found, indent=1, allow_nan=False) + "\n")
        else:
            _print_search(found, data, at, console)
    return found


def _run_search(
    config: Config, data: str, at: RunRoot, console: Console
) -> tuple[list[dict[str, object]], list[dict[str, Any]]]:
    """Stages, and measured trials, best first."""
    with (
        console.status("loading TensorFlow and TFX")
        if console.is_terminal
        else contextlib.nullcontext()
    ):
        from components import retrieval_tuner
        from pipeline import dag
        from pipeline.metadata import build_connection_config, find_previous_statistics
        from pipeline.runner import build_run_locations, execute_pipeline
    fingerprint = preflight.fingerprint(config.dataset, data)
    connection = build_connection_config(str(at.metadata))
    before = find_previous_statistics(connection, config.name, fingerprint)
    records = at.tuning / compute_search_name(config, fingerprint)
    pipeline = dag.build_tuning_pipeline(
        config, build_run_locations(data, at), fingerprint, connection, before, str(records)
    )
    with show_stages(console) as lines, print_trials(console):
        executed = execute_pipeline(pipeline, config.name, at, lines)
    tuned = executed.metadata.latest(retrieval_tuner.RetrievalTuner.__name__)
    assert tuned is not None, "the tuner has finished"
    return executed.stages, retrieval_tuner.read_results(tuned.outputs["tuner_results"].uri)


def compute_search_name(config: Config, fingerprint: str) -> str:
    """Of a search that can go on: the same data, ranges, seed, hardware, and configuration of
    what is not searched. The number of trials may differ.
    """
    told = {
        "data": fingerprint,
        "dataset": config.dataset.model_dump_json(),
        "retrieval": config.retrieval.model_dump_json(),
        "hardware": config.trainer.model_dump_json(exclude={"profile"}),
        "ranges": config.tune.model_dump_json(exclude={"trials"}),
        "seed": config.seed,
    }
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]


def _summarise_search(
    config: Config,
    stages: list[dict[str, object]],
    trials: list[dict[str, Any]],
    out: pathlib.Path,
) -> dict[str, Any]:
    best, *_ = trials
    present = [trial for trial in trials if trial["trial"] == 1]
    return {
        "name": config.name,
        "stages": stages,
        "asked": config.tune.trials,
        "best": best,
        "present": present[0] if present else None,
        "trials": trials,
        "config": str(out),
    }


def _format_best_trial(found: dict[str, Any]) -> str:
    best, present = found["best"], found["present"]
    stands = f"{present['valid_ndcg@10']:.4f}" if present else "not measurable"
    return (
        f"best of {len(found['trials'])} trials: NDCG@10 on valid {best['valid_ndcg@10']:.4f} "
        f"(the configuration as it stood: {stands})"
    )


def _print_search(found: dict[str, Any], data: str, at: RunRoot, console: Console) -> None:
    console.print(_format_best_trial(found), soft_wrap=True)
    failed = found["asked"] - len(found["trials"])
    if failed > 0:
        console.print(f"{failed} of {found['asked']} trials failed or would have been repetitions")
    for name, value in found["best"]["retrieval"].items():
        console.print(f"  retrieval.{name} = {value}")
    command = ["tandem", "run", "--config", found["config"], "--data", data, "--root", str(at.root)]
    console.print(f"to train with it: {shlex.join(command)}", soft_wrap=True)


def check_output(out: pathlib.Path) -> None:
    """UsageError, before any trial, where `out` cannot be written or is a file of someone's own."""
    there = out.exists()
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with out.open("a+", encoding="utf-8") as file:
            file.seek(0)
            text = file.read()
        if not there:
            out.unlink()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"expected to write the tuned configuration to {out}, received: {error}; "
            "give another file with --out"
        ) from error
    if text and not text.startswith(TUNED_CONFIG_HEAD):
        raise UsageError(
            f"expected a new file or one that `tandem tune` wrote at {out}, found another one; "
            "move it or give another file with --out"
        )


def write_tuned_config(
    out: pathlib.Path, path: pathlib.Path, overrides: list[str], best: dict[str, Any], said: str
) -> None:
    """`path` with the overrides and the `best` values of [retrieval], after `said` as a comment.

    Comments of `path` are not carried over, its relative paths of curated schemas are made
    absolute.
    """
    found = read_toml(path, overrides)
    found["retrieval"] = found.get("retrieval", {}) | best
    curated = found.get("curated", {})
    for table in TABLES:
        if table in curated:
            curated[table] = str((path.parent / curated[table]).absolute())
    atomic.write_text(out, f"{TUNED_CONFIG_HEAD}: {said}\n{tomli_w.dumps(found)}")
