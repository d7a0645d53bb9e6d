"""The log of a run: it has each line once, from any writer, and the terminal has none."""

import subprocess
import sys

PROGRAM = """
import logging, os, pathlib, sys
from pipeline.console import redirect_output

logging.basicConfig()  # as libraries do when they are imported
with redirect_output(pathlib.Path(sys.argv[1])) as (out, err):
    logging.basicConfig()
    logging.getLogger("library").info("logged=1")
    logging.warning("warned=1")
    print("printed=1")
    os.write(2, b"native=1\\n")
    print("for people", file=out, flush=True)
logging.getLogger("library").warning("afterwards=1")
"""


def test_each_line_occurs_once(tmp_path):
    path = tmp_path / "run.log"
    command = [sys.executable, "-c", PROGRAM, str(path)]
    completed = subprocess.run(command, capture_output=True, text=True, check=True)
    log = path.read_text()
    for line in ("logged=1", "warned=1", "printed=1", "native=1"):
        assert log.count(line) == 1
    assert "afterwards" not in log
    assert completed.stdout == "for people\n"
    assert completed.stderr == "WARNING:library:afterwards=1\n"
