"""MovieLens 1M: its three files, and folders in the layouts that a run and the referee read.

GroupLens' terms forbid redistribution, so every reader makes the files: the folder of the public
data sets holds `ml-1m`, with `ratings.dat`, `movies.dat` and `users.dat` in UTF-8, or `ml-1m.py`, a
script that writes them into the folder that is its argument.
"""

import collections
import pathlib
import shutil
import subprocess
import sys
from collections.abc import Iterable

from schema.errors import UsageError

FILES = ("ratings.dat", "movies.dat", "users.dat")


def find_files(public: pathlib.Path, made: pathlib.Path) -> pathlib.Path:
    """The folder with FILES: `ml-1m` in the folder `public`, or `made`, which the script fills
    once.

    Raises UsageError if `public` has neither the folder nor the script, or if the script fails.
    """
    folder, script = public / "ml-1m", public / "ml-1m.py"
    if folder.is_dir():
        return folder
    if made.is_dir():
        return made
    if not script.is_file():
        raise UsageError(
            f"expected the data set ml-1m, or the script ml-1m.py that makes it, in {public}, "
            "found neither; set TANDEM_DATA to the folder that holds the public data sets"
        )
    _run(script, made)
    return made


def _run(script: pathlib.Path, out: pathlib.Path) -> None:
    making = out.with_name(f"{out.name}.making")
    shutil.rmtree(making, ignore_errors=True)
    # The script calls pip, which a virtual environment need not have; the base interpreter has it.
    base = pathlib.Path(sys.base_prefix) / "bin" / "python3"
    completed = subprocess.run([base, script, making], stdout=sys.stderr, check=False)
    if completed.returncode:
        raise UsageError(
            f"expected {script} to write MovieLens 1M, received exit code {completed.returncode}; "
            f"run it yourself: python {script} {script.with_suffix('')}"
        )
    making.rename(out)


def write_sequences(files: pathlib.Path, out: pathlib.Path) -> None:
    """Writes `ml-1m.txt`, "user item item …" lines in order of time, and `movies.dat` with the
    rated films only, as published evaluations by the last item have them.

    Ratings of the same second, more than half of all, keep the order of the file.
    """
    histories: dict[str, list[tuple[int, str]]] = collections.defaultdict(list)
    for line in _read_lines(files / "ratings.dat"):
        user, item, _, timestamp = line.split("::")
        histories[user].append((int(timestamp), item))
    rated = {item for history in histories.values() for _, item in history}
    sequences = (
        " ".join([user, *(item for _, item in sorted(history, key=lambda event: event[0]))])
        for user, history in histories.items()
    )
    _write_lines(out / "ml-1m.txt", sequences, "utf-8")
    films = _read_lines(files / "movies.dat")
    _write_lines(
        out / "movies.dat", (film for film in films if film.split("::")[0] in rated), "utf-8"
    )


def write_log(files: pathlib.Path, out: pathlib.Path) -> None:
    """Writes FILES as GroupLens publishes them: in Latin-1."""
    for name in FILES:
        _write_lines(out / name, _read_lines(files / name), "latin-1")


def _read_lines(path: pathlib.Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def _write_lines(path: pathlib.Path, lines: Iterable[str], encoding: str) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), encoding=encoding)
