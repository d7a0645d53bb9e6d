"""One search: configuration, checks, data stages, trials, the file for the next run."""

import contextlib
import hashlib
import json
import pathlib
import shlex
from typing import Any, NamedTuple

from rich.console import Console

from components.ingest import preflight
from pipeline import tuned_config
from pipeline.config.config import Config, load_config
from pipeline.console import print_trials, redirect_output, show_stages
from pipeline.report import terminal
from pipeline.run_root import RunRoot, open_local_root


class Asked(NamedTuple):
    """What the command line says."""

    config: pathlib.Path
    data: pathlib.Path | None
    root: pathlib.Path
    out: pathlib.Path | None
    overrides: list[str]
    as_json: bool


def tune(asked: Asked) -> dict[str, Any]:
    """Searches, writes the best configuration and prints what was found; raises what stopped it."""
    config = load_config(asked.config, asked.overrides)
    data = str((asked.data or asked.config.parent).absolute())
    preflight.check(config.dataset, data)
    at = open_local_root(asked.root)
    out = (asked.out or at.root / "tuned.toml").absolute()
    tuned_config.check(out)
    with redirect_output(at.log) as (stdout, stderr):
        console = terminal.plain_console(stderr if asked.as_json else stdout)
        console.print(
            f"{config.name}: data {data}, root {at.root}, full log {at.log}", soft_wrap=True
        )
        stages, trials = _search(config, data, at, console)
        found = _found(config, stages, trials, out)
        best = found["best"]["retrieval"]
        tuned_config.write(out, asked.config, asked.overrides, best, _sentence(found))
        if asked.as_json:
            stdout.write(json.dumps(found, indent=1, allow_nan=False) + "\n")
        else:
            _show(found, data, at, console)
    return found


def _search(
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
    records = at.tuning / search_name(config, fingerprint)
    pipeline = dag.build_tuning_pipeline(
        config, build_run_locations(data, at), fingerprint, connection, before, str(records)
    )
    with show_stages(console) as lines, print_trials(console):
        executed = execute_pipeline(pipeline, config.name, at, lines)
    tuned = executed.metadata.latest(retrieval_tuner.RetrievalTuner.__name__)
    assert tuned is not None, "the tuner has finished"
    return executed.stages, retrieval_tuner.read_results(tuned.outputs["tuner_results"].uri)


def search_name(config: Config, fingerprint: str) -> str:
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


def _found(
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


def _sentence(found: dict[str, Any]) -> str:
    best, present = found["best"], found["present"]
    stands = f"{present['valid_ndcg@10']:.4f}" if present else "not measurable"
    return (
        f"best of {len(found['trials'])} trials: NDCG@10 on valid {best['valid_ndcg@10']:.4f} "
        f"(the configuration as it stood: {stands})"
    )


def _show(found: dict[str, Any], data: str, at: RunRoot, console: Console) -> None:
    console.print(_sentence(found), soft_wrap=True)
    failed = found["asked"] - len(found["trials"])
    if failed > 0:
        console.print(f"{failed} of {found['asked']} trials failed or would have been repetitions")
    for name, value in found["best"]["retrieval"].items():
        console.print(f"  retrieval.{name} = {value}")
    command = ["tandem", "run", "--config", found["config"], "--data", data, "--root", str(at.root)]
    console.print(f"to train with it: {shlex.join(command)}", soft_wrap=True)
