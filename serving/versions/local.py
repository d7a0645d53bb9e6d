"""Versions of pushed models on disk: `<serving dir>/<model>/<version>/` holds one SavedModel.

A version is a positive 63-bit integer without leading zeros; all other names are skipped, so a copy
in progress (`.tmp-<unique>`) is invisible until it is renamed.
"""

import contextlib
import dataclasses
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
_NAME_EXISTS = {errno.ENOTEMPTY, errno.EEXIST}
"""Errors of a rename to the name of an existing folder."""
_HIGHEST = 2**63 - 1
_DIGITS = 19
_NOT_A_NUMBER = (
    f"a version's folder must be named by a number from 1 to {_HIGHEST} without leading zeros"
)
_INTERRUPTED = "it is an interrupted copy, which the next push removes"


@dataclasses.dataclass(frozen=True)
class LocalVersionStore:
    """See `serving.versions.store.VersionStore`."""

    folder: pathlib.Path

    def list_models(self) -> list[str]:
        """Names of the models that have at least one version, sorted; empty without the folder."""
        if not self.folder.is_dir():
            return []
        names = (entry.name for entry in self.folder.iterdir() if entry.is_dir())
        return sorted(name for name in names if self.list_versions(name))

    def list_versions(self, model: str) -> list[int]:
        """Versions of one model, ascending; empty if it has no folder."""
        return list_versions_in(self.folder / model)

    def find_latest(self, model: str) -> int | None:
        """Highest version of one model, None if it has none."""
        return max(self.list_versions(model), default=None)

    def find_next(self) -> int:
        """One above the highest version of any model: models pushed together share a number."""
        latest = (self.find_latest(name) or 0 for name in self.list_models())
        return max(latest, default=0) + 1

    def get_folder(self, model: str, version: int) -> pathlib.Path:
        """Folder of one version of one model."""
        return self.folder / model / str(version)

    def locate(self, model: str, version: int) -> str:
        """Path of one version of one model."""
        return str(self.get_folder(model, version))

    def read_file(self, model: str, version: int, name: str) -> bytes:
        """Content of the file at `name` below a version; raises FileNotFoundError."""
        return (self.get_folder(model, version) / name).read_bytes()

    def push(
        self,
        models: Mapping[str, pathlib.Path],
        extra: Mapping[str, Mapping[str, pathlib.Path]] | None = None,
    ) -> dict[str, str]:
        """Copies a new version of all models, see `VersionStore.push`.

        Every copy is complete and flushed to the disk before the first is renamed to its final
        name. On OSError (a full disk, an unreadable source) everything written here is removed.
        The name of a copy is unique to its push, and only one of two renames to the same version
        succeeds. Copies left by a killed push are removed when they are a day old.
        """
        unique = uuid.uuid4().hex
        copies = {name: self.folder / name / f"{_COPY}{unique}" for name in models}
        try:
            for name, source in models.items():
                _remove_interrupted(self.folder / name)
                _copy_model(source, copies[name], (extra or {}).get(name, {}))
            while (version := self._rename_to_next(copies)) is None:
                pass
            return {name: self.locate(name, version) for name in models}
        except OSError as error:
            raise TandemError(
                f"expected to copy a new version of {', '.join(models)} to {self.folder}, received "
                f"{_describe(error)}; nothing was pushed and earlier versions are untouched: fix "
                "that (often by freeing disk space) and push again"
            ) from error
        finally:
            _remove(copies.values())  # if an exception, such as Ctrl-C, interrupted the push

    def open_copy(
        self, model: str, version: int
    ) -> contextlib.AbstractContextManager[pathlib.Path]:
        """The folder itself."""
        return contextlib.nullcontext(self.folder)

    def follow(self) -> contextlib.AbstractContextManager[pathlib.Path]:
        """The folder itself."""
        return contextlib.nullcontext(self.folder)

    def _rename_to_next(self, copies: Mapping[str, pathlib.Path]) -> int | None:
        """Renames the copies to the next version; returns None and restores the copies if another
        push was faster. Models are renamed in order of their names, so that of two pushes of the
        same models one succeeds with all of them.
        """
        version = self.find_next()
        final = {name: self.get_folder(name, version) for name in copies}
        done = False
        try:
            for name in sorted(copies):
                copies[name].rename(final[name])
                _flush_one(final[name].parent)
            done = True
        except OSError as error:
            if error.errno not in _NAME_EXISTS:
                raise
            return None
        finally:
            for name in [] if done else copies:
                if not copies[name].exists():
                    final[name].rename(copies[name])
        return version


def list_versions_in(folder: pathlib.Path) -> list[int]:
    """Versions in the folder of one model, ascending; empty if it does not exist."""
    if not folder.is_dir():
        return []
    names = (entry.name for entry in folder.iterdir() if entry.is_dir())
    return sorted(int(text) for text in names if is_version(text))


def explain_skipped(folder: pathlib.Path) -> dict[str, str]:
    """Reason why an entry in the folder of one model is not a version, by its name.

    Copies in progress, hidden names, and files that are not named like a version are left out.
    """
    if not folder.is_dir():
        return {}
    reasons = {entry.name: _explain(entry) for entry in sorted(folder.iterdir())}
    return {name: reason for name, reason in reasons.items() if reason}


def _explain(entry: pathlib.Path) -> str:
    """Empty for a version, and for entries that do not look like one."""
    if entry.name.startswith(_COPY):
        return _INTERRUPTED if _is_old(entry) else ""
    if entry.name.startswith("."):
        return ""
    if not entry.is_dir():
        return "it is not a folder" if is_version(entry.name) else ""
    return "" if is_version(entry.name) else _NOT_A_NUMBER


def _is_old(entry: pathlib.Path) -> bool:
    try:
        return time.time() - entry.stat().st_ctime > _COPY_SECONDS
    except FileNotFoundError:  # renamed at this moment
        return False


def is_version(text: str) -> bool:
    """Whether a folder with this name is a version."""
    number = text.isascii() and text.isdecimal() and not text.startswith("0")
    return number and len(text) <= _DIGITS and int(text) <= _HIGHEST


def _remove_interrupted(folder: pathlib.Path) -> None:
    for copy in folder.glob(f"{_COPY}*"):
        if _is_old(copy):
            shutil.rmtree(copy, ignore_errors=True)  # another push may be removing it


def _copy_model(
    source: pathlib.Path, copy: pathlib.Path, extra: Mapping[str, pathlib.Path]
) -> None:
    _copy(source, copy)
    for below, path in extra.items():
        _copy(path, copy / below)
    _flush(copy)


def _copy(source: pathlib.Path, copy: pathlib.Path) -> None:
    copy.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, copy)
    else:
        shutil.copyfile(source, copy)


def _flush(folder: pathlib.Path) -> None:
    """A rename may reach the disk before the content: a power loss would leave half a version."""
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


def _describe(error: OSError) -> str:
    """The first error in one line; copytree collects one (source, copy, text) per file."""
    if isinstance(error, shutil.Error):
        source, _, text = error.args[0][0]
        return f"{text} ({source})"
    return str(error)
