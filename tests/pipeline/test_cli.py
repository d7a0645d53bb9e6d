"""`tandem --help` costs nothing: it answers at once and imports none of the heavy libraries."""

import subprocess
import sys
import time

HEAVY = ("tensorflow", "tfx", "apache_beam", "scann", "numpy", "pandas", "pyarrow", "grpc")


def test_help_answers_within_a_second():
    seconds = []
    for _ in range(3):  # the best of three: the machine may be busy with something else
        started = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "pipeline.cli", "--help"],
            capture_output=True,
            text=True,
            check=True,
        )
        seconds.append(time.monotonic() - started)
    assert "doctor" in done.stdout
    assert min(seconds) < 1


def test_help_imports_nothing_heavy():
    code = (
        "import sys, pipeline.cli\n"
        "try:\n    pipeline.cli.main(['--help'])\nexcept SystemExit:\n    pass\n"
        f"print('heavy:', [name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "heavy: []"
