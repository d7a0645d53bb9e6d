"""One seed through the product's own commands, run and batch, and the referee's scores."""

import dataclasses
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import time
from typing import Any

from benchmarks.quality import cache
from benchmarks.quality import referee as quality_referee
from benchmarks.quality.data import DataSet
from benchmarks.quality.decisions import read_decision
from benchmarks.quality.user_groups import read_groups
from pipeline.config.config import Config, load_config

RETRIEVAL, FINAL = STAGES = ("retrieval", "final")
_ENVIRONMENT = {
    "TF_USE_LEGACY_KERAS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "PYTHONWARNINGS": "ignore:You are using a non-supported Python:FutureWarning",
}
_BY_BOTH = ("recall@10", "ndcg@10", "recall@100", "coverage@10")


@dataclasses.dataclass(frozen=True)
class Seeds:
    """Runs of one data set that differ in their seed."""

    data_set: DataSet
    split: pathlib.Path
    """Folder of the referee's split."""
    referee: pathlib.Path
    overrides: list[str]
    """In the form of `tandem run --set`."""

    def config(self, seed: int) -> Config:
        """The configuration of a seed's run; ConfigError if it is invalid."""
        return load_config(self.data_set.config, [*self.overrides, f"seed={seed}"])

    def cache_key(self, seed: int) -> dict[str, Any]:
        """Everything that a result depends on, except the code."""
        from components.ingest.fingerprint import (
            compute_input_fingerprint,  # imports Beam: after --help, and after main()
        )

        config = self.config(seed)
        return {
            "config": config.model_dump(mode="json"),
            "data": compute_input_fingerprint(config.dataset, str(self.data_set.data)),
        }

    def root(self, seed: int) -> pathlib.Path:
        """Root of the run: the same for all seeds, another for other data or another description of
        the data.
        """
        key = self.cache_key(seed)
        values = json.dumps([key["data"], self.config(seed).dataset.model_dump(mode="json")])
        return self.data_set.home / f"run-{hashlib.sha256(values.encode()).hexdigest()[:8]}"

    def measure(self, seed: int) -> dict[str, Any]:
        """The referee's metrics by stage; `decision`, whose order is served and whether that was
        right; `groups`, the quality by group of users; the greatest difference between
        the pipeline's evaluator and the referee.
        """
        path = self.root(seed) / "quality" / f"seed-{seed}.json"
        return cache.load_or_make(path, self.cache_key(seed), lambda: self._measure(seed))

    def _measure(self, seed: int) -> dict[str, Any]:
        root = self.root(seed)
        print_progress(f"{self.data_set.name}, seed {seed}: tandem run")
        # A seed's models do not replace another's, so none is compared with the last one pushed.
        overrides = [*self.overrides, f"seed={seed}", "blessing.pushed=[]"]
        sets = [part for override in overrides for part in ("--set", override)]
        summary = tandem(
            "run", "--config", str(self.data_set.config), "--data", str(self.data_set.data),
            "--root", str(root), *sets, "--force-push", "a benchmark measures all models",
        )  # fmt: skip
        result: dict[str, Any] = {stage: self._score(root, stage) for stage in STAGES}
        result["decision"] = read_decision(seed, summary, result)._asdict()
        result["groups"] = read_groups(summary)
        result["evaluator_minus_referee"] = greatest_difference(
            {RETRIEVAL: summary["retrieval"], FINAL: summary["ranking"]["reranked"]}, result
        )
        print_progress(f"{self.data_set.name}, seed {seed}: {_format_result(result)}")
        return result

    def _score(self, root: pathlib.Path, stage: str) -> dict[str, float]:
        users, lists = root / "quality" / "users", root / "quality" / f"{stage}.jsonl"
        users.parent.mkdir(parents=True, exist_ok=True)
        users.write_text("\n".join(quality_referee.test_users(self.split)), encoding="utf-8")
        tandem(
            "batch", "--root", str(root), "--users", str(users), "--k", "100",
            "--as-of", "test", "--stage", stage, "--out", str(lists),
        )  # fmt: skip
        return quality_referee.score(self.referee, self.split, lists)


def greatest_difference(
    evaluator: dict[str, dict[str, float]], referee: dict[str, dict[str, float]]
) -> float:
    """The evaluator's value less the referee's, furthest from 0, over the stages and the metrics
    that both measure on the same lists.
    """
    differences = [
        evaluator[stage][name] - referee[stage][name] for stage in STAGES for name in _BY_BOTH
    ]
    return max(differences, key=abs)


def tandem(*arguments: str) -> dict[str, Any]:
    """The JSON output of a command of the product; exits if the command fails."""
    output = in_own_process("pipeline.cli", *arguments, "--json")
    return json.loads(output)


def in_own_process(module: str, *arguments: str) -> str:
    """The module's stdout; its stderr is inherited, so that progress and errors are visible."""
    command = [sys.executable, "-m", module, *arguments]
    environment = {**os.environ, **_ENVIRONMENT}
    completed = subprocess.run(
        command, stdout=subprocess.PIPE, text=True, check=False, env=environment
    )
    if completed.returncode:
        sys.exit(
            f"quality: `{module} {arguments[0]}` ended with exit code {completed.returncode}; "
            "its own words are above"
        )
    return completed.stdout


def print_progress(line: str) -> None:
    """Prints progress with the time of day."""
    print(f"{time.strftime('%H:%M:%S')} {line}", file=sys.stderr, flush=True)


def _format_result(result: dict[str, Any]) -> str:
    return ", ".join(f"{stage} NDCG@10 {result[stage]['ndcg@10']:.4f}" for stage in STAGES)
