"""The command line, in its own process as a shell starts it."""

import subprocess
import sys


def tandem(*args: str) -> subprocess.CompletedProcess[str]:
    """Runs a verb, which must succeed."""
    completed = subprocess.run(
        [sys.executable, "-m", "pipeline.cli", *args], check=False, capture_output=True, text=True
    )
    assert completed.returncode == 0, completed.stdout[-3000:] + completed.stderr[-3000:]
    return completed
