"""Defaults, units and limits that the documents state are those of the code.

Each case is a sentence as the document has it, with the value filled in from the code: a default
that changes leaves a sentence that stands in no document.
"""

import re

import pytest

from pipeline.config.config import Config
from pipeline.config.kubeflow import Retries as TaskRetries
from pipeline.config.kubeflow import suggest_memory_request
from schema import user_ids
from schema.errors import (
    ConfigError,
    DataRefused,
    NotBlessed,
    TrainingDiverged,
    UsageError,
)  # fmt: skip
from serving.client.connection import RetryPolicy
from serving.config import IndexConfig, RequestLimits, ServingConfig
from serving.graph.warmup_requests import _HISTORY_LENGTHS
from serving.server.batching_config import BatchingConfig
from serving.server.options import ServerOptions
from serving.versions import local
from serving.versions.mirror import _POLL_SECONDS
from tests.docs import documents
from trainer.config.blessing import BaselineRule, BlessingConfig
from trainer.config.metric_names import CUTOFFS
from trainer.config.tuning import DEFAULT_RANGES, TuneConfig
from trainer.evaluation import fairness, tfma_inputs
from trainer.metrics.confidence import MIN_USERS
from trainer.ranking import training as ranking_training
from trainer.training import tensorboard

MIB = 2**20
BATCHING = BatchingConfig(threads=1)
LIMITS = RequestLimits()
SERVING = ServingConfig()
NUMBERS = {1: "one", 2: "two", 3: "three", 4: "four", 5: "five"}
MONITORED = re.findall(
    r'EpochSelection\(\s*"val_(.+?)"', documents.read("trainer/retrieval/training.py")
)
"""What early stopping of retrieval looks at."""
SEARCHED = [f"`{name}`" for name in DEFAULT_RANGES]
DAY, HOUR = 24 * 3600, 3600


def enumerate_values(values, last):
    *others, end = map(str, values)
    return f"{', '.join(others)} {last} {end}"


SENTENCES = {
    "README.md": [
        f"http://127.0.0.1:{SERVING.rest_port}/v1/models",
        f'Client("{SERVING.host}:{SERVING.grpc_port}")',
    ],
    "docs/SERVING.md": [
        f"[--host {SERVING.host}] [--grpc-port {SERVING.grpc_port}] "
        f"[--rest-port {SERVING.rest_port}]",
        f"polls the bucket every {_POLL_SECONDS:g} seconds",
        f"up to {NUMBERS[RetryPolicy().attempts]} attempts in all",
        f"up to {BATCHING.max_batch_size} rows",
        f"to {enumerate_values(BATCHING.sizes, 'or')} rows",
        f"At most {BATCHING.most_waiting} rows wait",
        f"at most {4 * LIMITS.max_tensor_bytes // 2**30} GiB of inputs (4 × `max_tensor_bytes`)",
        f"`--max-message-bytes` ({ServerOptions().max_message_bytes // MIB} MiB",
        f"`--grace-seconds` ({ServerOptions().grace_s:g})",
        f"and users with histories of "
        f"{enumerate_values(_HISTORY_LENGTHS[1:], 'and')} items",
        {DAY: "once it is a day old"}[int(local._COPY_SECONDS)],
        f"GET {ServerOptions().metrics_path}",
        f"ends with exit code {NotBlessed.exit_code}, data that break a rule with "
        f"{DataRefused.exit_code}",
    ],
    "docs/TRAINING.md": [
        f"for {NUMBERS[ranking_training._PATIENCE]} epochs, and keeps the weights of the best one",
        f"only if its {MONITORED[0].upper()} on a sample of validation users is higher",
        "stops when none was for `retrieval.patience` epochs",
        "traces steps {} to {} of the first epoch".format(*tensorboard._PROFILED_STEPS),
        f"the {tensorboard._PROJECTED:,} items with the most interactions",
        f"stops training at that batch, with exit code {TrainingDiverged.exit_code}",
        f"with a configuration error (exit code {ConfigError.exit_code})",
        f"the default is to search {enumerate_values(SEARCHED, 'and')}",
        f"trials = {TuneConfig().trials} ",
    ],
    "docs/BLESSING.md": [
        f"With fewer than {MIN_USERS} test users",
        f"## Exit code {NotBlessed.exit_code}: not blessed",
        f"about exit code {NotBlessed.exit_code}.",
        f"| final lists and `{BaselineRule().baseline}`, {BaselineRule().metric.upper()} |",
        "| final lists, NDCG@10 and recall@100 |",
    ],
    "docs/EVALUATION.md": [
        f"candidates of up to {tfma_inputs.MAX_QUERIES:,} test users",
        f"latest {tfma_inputs.MAX_EVENTS:,} test events",
    ],
    "docs/RECURRING.md": [
        f"stop the backfill with exit code {DataRefused.exit_code}",
        f"Exit codes {UsageError.exit_code}, {DataRefused.exit_code} and {NotBlessed.exit_code} "
        "fail the job at once",
    ],
    "docs/BEAM.md": [f"reports it and exits with {UsageError.exit_code}"],
    "docs/LIMITS.md": [f"at least {MIN_USERS} test users each"],
    "docs/KUBEFLOW.md": [
        {7 * DAY: "The default here is a week"}[TaskRetries().wait_at_most_seconds],
        f"enough for {TaskRetries().wait_at_most_seconds // (6 * HOUR) - 1} attempts of six hours",
    ],
    "docs/CONFIG.md": [
        f"Epochs without an {MONITORED[0].upper()} on the validation split that is higher",
        f"Groups are the {fairness._MAX_GROUPS} most frequent values",
        f"only groups of {MIN_USERS} or more are compared",
        f"at {enumerate_values(CUTOFFS, 'or')}, by default",
        "Traces steps {} to {} of the first epoch".format(*tensorboard._PROFILED_STEPS),
        f"at least {user_ids._SHORTEST_KEY} bytes",
        f"of any table exceeds this, the run stops with exit code {DataRefused.exit_code}",
        f"A run whose models fail ends with exit code {NotBlessed.exit_code}",
        f"`exact_below` (whole number, at least 1; default `{IndexConfig().exact_below}`)",
    ],
}  # fmt: skip
CASES = [(name, sentence) for name, sentences in SENTENCES.items() for sentence in sentences]


@pytest.mark.parametrize(("name", "sentence"), CASES)
def test_the_document_matches_the_code(name, sentence):
    assert " ".join(sentence.split()) in documents.read_as_one_line(name)


def test_the_metrics_that_the_gate_compares_by_default():
    assert BlessingConfig().pushed == ["ndcg@10", "recall@100"]  # as the table above has them


def test_the_week_holds_the_attempts_and_their_waits():
    """27 attempts of six hours and the waits before them, which double from a minute, would not
    fit; with waits of a minute each they do.
    """
    retries = TaskRetries()
    attempts = retries.wait_at_most_seconds // (6 * HOUR) - 1
    assert attempts * (6 * HOUR + retries.wait_seconds) <= retries.wait_at_most_seconds


def test_memory_requests_are_those_of_the_configuration():
    """The table's last column, component by component."""
    rows = re.findall(
        r"^\| ([A-Z]\w+)[^|]*\|.*\| ([\d, ]+) \|$", documents.read("docs/KUBEFLOW.md"), re.M
    )
    requests = {name: {f"{each.strip()}M" for each in cell.split(",")} for name, cell in rows}
    assert {"InteractionsGen", "RetrievalTrainer", "Evaluator"} <= set(requests)
    for name, documented in requests.items():
        tables = [name, f"{name}-interactions", f"{name}-items"]
        assert documented & {suggest_memory_request(each) for each in tables}, name


def list_key_patterns():
    """Patterns of the dotted paths of all sections and keys, from docs/CONFIG.md."""
    patterns, section = [], ""
    for line in documents.read("docs/CONFIG.md").splitlines():
        if heading := re.match(r"## (?:`\[+([\w.<>]+)\]+`|At the top)$", line):
            section = heading[1] or ""
            patterns += [section, section.removesuffix(".<name>")]
        elif item := re.match(r"- `(\w+)` \(", line):
            patterns.append(f"{section}.{item[1]}".lstrip("."))
    return [re.escape(path).replace("<name>", r"\w+") for path in patterns if path]


def test_keys_in_prose_are_keys_of_the_configuration():
    """Dotted paths in code style, but for those of summary.json."""
    known = re.compile("|".join(list_key_patterns()))
    assert known.fullmatch("retrieval.epochs")
    assert known.fullmatch("labels.ranking.rating.weight")
    measured = {"ranking.order", "index.denied_unknown"}
    unknown = set()
    for name in documents.NAMES:
        for path in re.findall(
            r"`\[*([a-z_]+(?:\.[a-z_]+)+)\]*(?: = [^`]*)?`", documents.read(name)
        ):
            is_key = path.split(".")[0] in Config.model_fields and path not in measured
            if is_key and not known.fullmatch(path):
                unknown.add((name, path))
    assert unknown == set()
