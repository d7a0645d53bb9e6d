"""`tandem tune`: a search for hyper-parameters, and the configuration file with the best ones."""

import contextlib
import hashlib
import json
import pathlib
import shlex
from typing import Any, NamedTuple

import tomli_w
from rich.console import Console

from components.ingest import preflight
from components.ingest.fingerprint import compute_input_fingerprint
from pipeline.config.config import TABLES, Config, load_config, read_toml
from pipeline.console import print_trials, redirect_output, show_stages
from pipeline.report import terminal
from pipeline.run_root import RunRoot, open_local_root
from schema.errors import UsageError
from schema.storage import atomic
from trainer.config.deterministic import prepare_process

TUNED_CONFIG_HEAD = "# Written by `tandem tune`"


class TuneRequest(NamedTuple):
    """The arguments of `tandem tune`."""

    config: pathlib.Path
    data: pathlib.Path | None
    root: pathlib.Path
    out: pathlib.Path | None
    overrides: list[str]
    as_json: bool


def tune(request: TuneRequest) -> dict[str, Any]:
    """Runs the search, writes the best configuration, and prints and returns the results."""
    config = load_config(request.config, request.overrides)
    prepare_process(config.trainer)
    data = str((request.data or request.config.parent).absolute())
    preflight.check(config.dataset, data)
    at = open_local_root(request.root)
    out = (request.out or at.root / "tuned.toml").absolute()
    check_output(out)
    with redirect_output(at.log) as (stdout, stderr):
        console = terminal.make_console(stderr if request.as_json else stdout)
        console.print(
            f"{config.name}: data {data}, root {at.root}, full log {at.log}", soft_wrap=True
        )
        stages, trials = _run_search(config, data, at, console)
        results = _summarise_search(config, stages, trials, out)
        best = results["best"]["retrieval"]
        write_tuned_config(
            out, request.config, request.overrides, best, _format_best_trial(results)
        )
        if request.as_json:
            stdout.write(json.dumps(results, indent=1, allow_nan=False) + "\n")
        else:
            _print_search(results, data, at, console)
    return results


def _run_search(
    config: Config, data: str, at: RunRoot, console: Console
) -> tuple[list[dict[str, object]], list[dict[str, Any]]]:
    """Returns the executed stages, and the trials, best first."""
    with (
        console.status("loading TensorFlow and TFX")
        if console.is_terminal
        else contextlib.nullcontext()
    ):
        from components import retrieval_tuner
        from pipeline import dag
        from pipeline.metadata import build_connection_config, find_previous_statistics
        from pipeline.runner import build_run_locations, execute_pipeline
    fingerprint = compute_input_fingerprint(config.dataset, data)
    connection = build_connection_config(str(at.metadata))
    before = find_previous_statistics(connection, config.name, fingerprint)
    records = at.tuning / compute_search_name(config, fingerprint)
    pipeline = dag.build_tuning_pipeline(
        config, build_run_locations(data, at), fingerprint, connection, before, str(records)
    )
    with show_stages(console) as lines, print_trials(console):
        executed = execute_pipeline(pipeline, config.name, at, lines)
    tuned = executed.metadata.find_latest_run(retrieval_tuner.RetrievalTuner.__name__)
    assert tuned is not None, "the tuner has finished"
    return executed.stages, retrieval_tuner.read_results(tuned.outputs["tuner_results"].uri)


def compute_search_name(config: Config, fingerprint: str) -> str:
    """Name under which a search can resume: it depends on data, ranges, seed, hardware and the
    parameters that are not searched, but not on the number of trials.
    """
    inputs = {
        "data": fingerprint,
        "dataset": config.dataset.model_dump_json(),
        "retrieval": config.retrieval.model_dump_json(),
        "hardware": config.trainer.model_dump_json(exclude={"profile"}),
        "ranges": config.tune.model_dump_json(exclude={"trials"}),
        "seed": config.seed,
    }
    return hashlib.sha256(json.dumps(inputs).encode()).hexdigest()[:16]


def _summarise_search(
    config: Config,
    stages: list[dict[str, object]],
    trials: list[dict[str, Any]],
    out: pathlib.Path,
) -> dict[str, Any]:
    best, *_ = trials
    current = [trial for trial in trials if trial["trial"] == 1]
    return {
        "name": config.name,
        "stages": stages,
        "asked": config.tune.trials,
        "best": best,
        "present": current[0] if current else None,
        "trials": trials,
        "config": str(out),
    }


def _format_best_trial(results: dict[str, Any]) -> str:
    best, current = results["best"], results["present"]
    current_ndcg = f"{current['valid_ndcg@10']:.4f}" if current else "not measurable"
    return (
        f"best of {len(results['trials'])} trials: NDCG@10 on valid {best['valid_ndcg@10']:.4f} "
        f"(current configuration: {current_ndcg})"
    )


def _print_search(results: dict[str, Any], data: str, at: RunRoot, console: Console) -> None:
    console.print(_format_best_trial(results), soft_wrap=True)
    failed = results["asked"] - len(results["trials"])
    if failed > 0:
        console.print(f"{failed} of {results['asked']} trials failed or repeated an earlier one")
    for name, value in results["best"]["retrieval"].items():
        console.print(f"  retrieval.{name} = {value}")
    config, root = results["config"], str(at.root)
    command = ["tandem", "run", "--config", config, "--data", data, "--root", root]
    console.print(f"train with: {shlex.join(command)}", soft_wrap=True)


def check_output(out: pathlib.Path) -> None:
    """Raises UsageError, before any trial, where `out` is not writable or is not our own file."""
    existed = out.exists()
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with out.open("a+", encoding="utf-8") as file:
            file.seek(0)
            text = file.read()
        if not existed:
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
    out: pathlib.Path, path: pathlib.Path, overrides: list[str], best: dict[str, Any], headline: str
) -> None:
    """Writes the configuration with the best values of [retrieval].

    Comments are not kept; relative paths of curated schemas become absolute.

    Args:
        out: File to write.
        path: The configuration that was searched.
        overrides: `--set` arguments.
        best: Values of [retrieval].
        headline: Comment for the first line.
    """
    config = read_toml(path, overrides)
    config["retrieval"] = config.get("retrieval", {}) | best
    curated = config.get("curated", {})
    for table in TABLES:
        if table in curated:
            curated[table] = str((path.parent / curated[table]).absolute())
    atomic.write_text(out, f"{TUNED_CONFIG_HEAD}: {headline}\n{tomli_w.dumps(config)}")
