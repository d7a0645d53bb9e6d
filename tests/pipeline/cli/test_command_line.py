"""`tandem --help` is fast and imports none of the heavy libraries."""

import resource
import subprocess
import sys

HEAVY = ("tensorflow", "tfx", "apache_beam", "scann", "numpy", "pandas", "pyarrow", "grpc")


def test_help_prints_within_a_second():
    """Processor time, because a busy machine increases the elapsed time."""
    seconds = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        completed = subprocess.run(
            [sys.executable, "-m", "pipeline.cli", "--help"],
            capture_output=True,
            text=True,
            check=True,
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert "doctor" in completed.stdout
    assert min(seconds) < 1


def test_help_imports_nothing_heavy():
    code = (
        "import sys, pipeline.cli\n"
        "try:\n    pipeline.cli.main(['--help'])\nexcept SystemExit:\n    pass\n"
        f"print('heavy:', [name for name in {HEAVY!r} if name in sys.modules])"
    )
    completed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert completed.stdout.splitlines()[-1] == "heavy: []"
