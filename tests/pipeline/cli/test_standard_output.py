"""A verb whose standard output is closed ends like other programs, without a traceback."""

import errno
import os
import pathlib
import subprocess
import sys
from collections.abc import Iterator

import pytest

from pipeline.cli import command_line as cli

VERB = (
    "import sys, pipeline.cli\n"
    "from pipeline.cli.verbs import config\n"
    "def run(args):\n    {prints}\n    return 0\n"
    "config.run = run\n"
    "sys.exit(pipeline.cli.main(['config']))\n"
)
TEXT = pytest.mark.parametrize("prints", ["print('line')", "print('line ' * 99_999)"])
CONSOLE = "from pipeline.report import terminal; terminal.make_console().print('line')"


def ended(prints: str, stdout: int) -> tuple[int, str]:
    """Exit code and stderr of a verb that prints to this output."""
    command = [sys.executable, "-c", VERB.format(prints=prints)]
    completed = subprocess.run(
        command, check=False, stdout=stdout, stderr=subprocess.PIPE, text=True
    )
    return completed.returncode, completed.stderr


@pytest.fixture
def without_reader() -> Iterator[int]:
    reader, writer = os.pipe()
    os.close(reader)
    yield writer
    os.close(writer)


@TEXT
def test_a_closed_pipe_ends_a_verb_quietly(prints, without_reader):
    assert ended(prints, without_reader) == (141, "")


def test_a_closed_console_is_no_error_either(without_reader):
    assert ended(CONSOLE, without_reader) == (141, "")


@TEXT
def test_a_full_disk_is_named(prints):
    with pathlib.Path("/dev/full").open("w") as full:
        code, text = ended(prints, full.fileno())
    assert code == 2
    assert text == (
        "tandem: No space left on device: standard output, --root or --out; free some space, or "
        "write elsewhere\n"
    )


def test_other_pipes_and_errors_are_not_handled():
    for error in (BrokenPipeError(errno.EPIPE, "Broken pipe"), PermissionError(errno.EACCES, "no")):
        with pytest.raises(type(error)):
            cli.handle_output_error(error)


QUIET = """
import pathlib, sys
from pipeline.cli.command_line import open_closed_streams
from pipeline.console import redirect_output
open_closed_streams()
with redirect_output(pathlib.Path(sys.argv[1])) as (out, err):
    print("for the log", flush=True)
    out.write("for nobody")
    err.write("for whoever reads errors")
"""


@pytest.mark.parametrize(("closed", "interacted"), [(">&-", True), (">&- 2>&-", False)])
def test_a_run_needs_no_standard_output(tmp_path, closed, interacted):
    command = f"exec {sys.executable} -c '{QUIET}' {tmp_path}/run.log {closed}"
    completed = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    assert (tmp_path / "run.log").read_text() == "for the log\n"
    assert ("for whoever reads errors" in completed.stderr) == interacted
