"""`tandem --help` costs nothing: it answers at once and imports none of the heavy libraries."""

import resource
import subprocess
import sys

HEAVY = ("tensorflow", "tfx", "apache_beam", "scann", "numpy", "pandas", "pyarrow", "grpc")


def test_help_answers_within_a_second():
    """Of the processor's time: a busy machine makes the clock's longer."""
    seconds = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            [sys.executable, "-m", "pipeline.cli", "--help"],
            capture_output=True,
            text=True,
            check=True,
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
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
