"""Versions of pushed models on disk: `<serving dir>/<model>/<version>/` holds one SavedModel.

A version is a positive integer of 63 bits without leading zeros; every other name is passed over,
so that a copy under way (`.tmp-<unique>`) is invisible until it is renamed.
"""

import errno
import os
import pathlib
import shutil
import time
import uuid
from collections.abc import Iterable, Mapping

from schema.errors import TandemError

_COPY = ".tmp-"
_COPY_SECONDS = 24 * 3600.0
_TAKEN = {errno.ENOTEMPTY, errno.EEXIST}
"""A folder is renamed to a name that another has."""
_HIGHEST = 2**63 - 1
_DIGITS = 19
_NO_NUMBER = f"a version's folder is named by a number from 1 to {_HIGHEST} without leading zeros"
_INTERRUPTED = "it is a copy that was broken off, and goes at the next push"


def models(serving_dir: pathlib.Path) -> list[str]:
    """Names of the models that have at least one version, sorted; none without the folder."""
    if not serving_dir.is_dir():
        return []
    names = (entry.name for entry in serving_dir.iterdir() if entry.is_dir())
    return sorted(name for name in names if versions(serving_dir, name))


def versions(serving_dir: pathlib.Path, name: str) -> list[int]:
    """Versions of one model, ascending; none where the folder is absent."""
    folder = serving_dir / name
    if not folder.is_dir():
        return []
    found = (entry.name for entry in folder.iterdir() if entry.is_dir())
    return sorted(int(text) for text in found if is_version(text))


def passed_over(folder: pathlib.Path) -> dict[str, str]:
    """What lies among the versions of one model in `folder` and is none, by name, and why.

    A copy under way is left out, and so is every other hidden name and every plain file with the
    name of none.
    """
    if not folder.is_dir():
        return {}
    found = {entry.name: _why_none(entry) for entry in sorted(folder.iterdir())}
    return {name: why for name, why in found.items() if why}


def _why_none(entry: pathlib.Path) -> str:
    """Empty for a version, and for what nobody takes for one."""
    if entry.name.startswith(_COPY):
        return _INTERRUPTED if _is_old(entry) else ""
    if entry.name.startswith("."):
        return ""
    if not entry.is_dir():
        return "it is no folder" if is_version(entry.name) else ""
    return "" if is_version(entry.name) else _NO_NUMBER


def _is_old(entry: pathlib.Path) -> bool:
    try:
        return time.time() - entry.stat().st_ctime > _COPY_SECONDS
    except FileNotFoundError:  # renamed at this moment
        return False


def latest(serving_dir: pathlib.Path, name: str) -> int | None:
    """Highest version of one model, None where there is none."""
    return max(versions(serving_dir, name), default=None)


def next_version(serving_dir: pathlib.Path) -> int:
    """One above the highest version of any model, so that models pushed together share a number."""
    highest = (latest(serving_dir, name) or 0 for name in models(serving_dir))
    return max(highest, default=0) + 1


def folder_of(serving_dir: pathlib.Path, name: str, version: int) -> pathlib.Path:
    """Where one version of one model lies."""
    return serving_dir / name / str(version)


def push(
    models: Mapping[str, pathlib.Path],
    serving_dir: pathlib.Path,
    beside: Mapping[str, Mapping[str, pathlib.Path]] | None = None,
) -> dict[str, pathlib.Path]:
    """Copies the SavedModel of each name to the next version; all become visible or none does.
    `beside` are further files and folders of a model, by where they go below its version folder.

    Every copy is complete and on the disk before the first is renamed to its final name. On OSError
    (a full disk, an unreadable source) everything made here is removed, earlier versions stay
    untouched, and TandemError says why. Others may push at the same moment: a copy's name is its
    push's alone, and of two that rename to the same version one succeeds. Copies that a kill has
    left are removed when they are a day old. Returns the final folder of each name.
    """
    unique = uuid.uuid4().hex
    copies = {name: serving_dir / name / f"{_COPY}{unique}" for name in models}
    try:
        for name, source in models.items():
            _remove_interrupted(serving_dir / name)
            _copy(source, copies[name])
            for below, further in (beside or {}).get(name, {}).items():
                _copy_further(further, copies[name] / below)
            _flush(copies[name])
        while (final := _renamed(copies, serving_dir)) is None:
            pass
        return final
    except OSError as error:
        raise TandemError(
            f"expected to copy a new version of {', '.join(models)} to {serving_dir}, received "
            f"{_reason(error)}; nothing was pushed and earlier versions are untouched: fix that "
            "(often: free some disk) and push again"
        ) from error
    finally:
        _remove(copies.values())  # which are there where something, Ctrl-C too, has ended it


def is_version(text: str) -> bool:
    """Whether a folder of that name is a version."""
    number = text.isascii() and text.isdecimal() and not text.startswith("0")
    return number and len(text) <= _DIGITS and int(text) <= _HIGHEST


def _renamed(
    copies: Mapping[str, pathlib.Path], serving_dir: pathlib.Path
) -> dict[str, pathlib.Path] | None:
    """Makes the copies the next version, and returns its folders; None, with the copies as they
    were, where another push was faster. In the order of names, so that of two with several models
    in common one is first with all of them.
    """
    version = next_version(serving_dir)
    final = {name: folder_of(serving_dir, name, version) for name in copies}
    done = False
    try:
        for name in sorted(copies):
            copies[name].rename(final[name])
            _flush_one(final[name].parent)
        done = True
    except OSError as error:
        if error.errno not in _TAKEN:
            raise
        return None
    finally:
        for name in [] if done else copies:
            if not copies[name].exists():
                final[name].rename(copies[name])
    return final


def _remove_interrupted(folder: pathlib.Path) -> None:
    for copy in folder.glob(f"{_COPY}*"):
        if _is_old(copy):
            shutil.rmtree(copy, ignore_errors=True)  # another push may be removing it


def _copy(source: pathlib.Path, copy: pathlib.Path) -> None:
    copy.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(source, copy)


def _copy_further(source: pathlib.Path, copy: pathlib.Path) -> None:
    copy.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, copy)
    else:
        shutil.copyfile(source, copy)


def _flush(folder: pathlib.Path) -> None:
    """A rename may reach the disk before what it names: a power cut would leave a half version."""
    for path in [folder, *folder.rglob("*")]:
        _flush_one(path)


def _flush_one(path: pathlib.Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(folders: Iterable[pathlib.Path]) -> None:
    for folder in folders:
        if folder.exists():
            shutil.rmtree(folder)


def _reason(error: OSError) -> str:
    """The first cause in one line; copytree gathers those of all files as (source, copy, text)."""
    if isinstance(error, shutil.Error):
        source, _, text = error.args[0][0]
        return f"{text} ({source})"
    return str(error)
