"""Ctrl-C in the middle of a run: finished stages are kept, and the next run resumes after them."""

import os
import pathlib
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest

pytestmark = pytest.mark.e2e

CONFIG = pathlib.Path(__file__).resolve().parents[2] / "configs" / "simulated.toml"
INGESTION = {"InteractionsGen", "ItemsGen"}
Stages = dict[str, bool]
"""Finished stages in order: name, and whether it came from the cache."""


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    out = tmp_path_factory.mktemp("shop")
    size = ["--users", "60", "--items", "200", "--events", "1500", "--seed", "5"]
    subprocess.run(
        [sys.executable, "-m", "pipeline.cli", "simulate", *size, "--out", str(out)],
        check=True,
        capture_output=True,
    )
    return out


def run_until(
    enough: Callable[[Stages], bool], shop: pathlib.Path, root: pathlib.Path
) -> tuple[Stages, int, str]:
    """Interrupts a run once the finished stages are enough; returns these, exit code and stderr."""
    arguments = ["run", "--config", str(CONFIG), "--data", str(shop), "--root", str(root)]
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline.cli", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONWARNINGS": "default"},
    )
    assert process.stdout is not None
    finished: Stages = {}
    for line in process.stdout:
        name, *words = line.split()
        if words and (words[0] == "cached" or words[1:2] == ["s"]):
            finished[name] = words[0] == "cached"
            if enough(finished):
                process.send_signal(signal.SIGINT)
                break
    output, errors = process.communicate(timeout=60)
    assert "cached" not in output, "expected no further finished stage after Ctrl-C"
    return finished, process.returncode, errors


def is_interruption(code: int, errors: str) -> bool:
    """Whether there is one sentence, no traceback, and the shell's exit code for SIGINT."""
    sentence = (
        "tandem: interrupted; finished stages are kept, and the next run resumes after them\n"
    )
    return (code, errors) == (130, sentence)


@pytest.mark.usefixtures("interruptible")
def test_the_next_run_resumes_after_the_last_finished_stage(shop, tmp_path):
    before, code, errors = run_until(lambda stages: set(stages) >= INGESTION, shop, tmp_path)
    assert is_interruption(code, errors)
    assert not any(before.values())

    after, code, errors = run_until(lambda stages: not all(stages.values()), shop, tmp_path)
    assert is_interruption(code, errors)
    *cached, executed = after
    assert set(before) <= set(cached)
    assert executed not in before

    assert not (tmp_path / "serving").exists()
    assert not (tmp_path / "summary.json").exists()
