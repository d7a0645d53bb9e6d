"""Artifacts of object stores as folders of this machine, while a component works on them.

What a component reads is copied here before, what it has written is copied there after. So the code
behind it knows folders alone, and TensorFlow's many small reads cross no network. Where the URIs
are paths nothing is copied, but those with signs of a glob go by a link.

Beam writes from any machine, so its components' artifacts stay where they are as far as both Beam
and TensorFlow know the store, gs://.
"""

import contextlib
import functools
import inspect
import pathlib
import tempfile
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from tfx.dsl.component.experimental.annotations import (
    BeamComponentParameter,
    InputArtifact,
    OutputArtifact,
)
from tfx.types import Artifact

from schema.storage import object_store, plain_path
from schema.storage.locations import is_remote

_KNOWN_TO_BEAM_AND_TENSORFLOW = "gs://"
Artifacts = dict[str, list[Artifact]]


class _Copies:
    """Of this process, by URI: an artifact is never written again, so one copy is enough."""

    def __init__(self) -> None:
        self._folders: dict[str, tempfile.TemporaryDirectory] = {}

    def make(self, uri: str) -> str:
        """An empty folder that stands for `uri` from now on."""
        folder = tempfile.TemporaryDirectory(prefix="tandem-")
        self._folders[uri] = folder
        return folder.name

    def fetch(self, uri: str) -> str:
        """What is at `uri`, copied when it, or what it is part of, is asked for the first time."""
        for whole, folder in self._folders.items():
            if f"{uri}/".startswith(f"{whole}/"):
                return folder.name + uri.removeprefix(whole)
        copy = tempfile.TemporaryDirectory(prefix="tandem-")
        object_store.download(uri, pathlib.Path(copy.name))
        self._folders[uri] = copy  # once it is whole
        return copy.name

    def find_uri(self, folder: str) -> str:
        """What the folder is a copy of; itself where it is none."""
        found = (uri for uri, copy in self._folders.items() if copy.name == folder)
        return next(found, folder)


_copies = _Copies()


def find_stored_uri(folder: str) -> str:
    """What a folder that a component was given stands for."""
    return plain_path.resolve(_copies.find_uri(folder))


def locate_folder(uri: str) -> pathlib.Path:
    """Where this machine reads an artifact, or a part of one."""
    return pathlib.Path(_copies.fetch(uri) if is_remote(uri) else uri)


@contextlib.contextmanager
def copy_locally(
    read: Iterable[Artifact], written: Iterable[Artifact], beam: bool = False
) -> Iterator[None]:
    """Inside the block the artifacts' URIs are folders. What is `written` is copied when it ends,
    however it ends: what a failed component leaves is for the orchestrator to keep or to remove, as
    it is with folders.

    `beam`: a Beam pipeline reads or writes them.
    """
    with contextlib.ExitStack() as stack:
        for artifact in read:
            here = _copies.fetch if _is_copied(artifact.uri, beam) else plain_path.link
            stack.enter_context(_replace_uri(artifact, here(artifact.uri)))
        for artifact in written:
            is_copied = _is_copied(artifact.uri, beam)
            here = _copies.make if is_copied else plain_path.link
            stack.enter_context(_replace_uri(artifact, here(artifact.uri)))
            if is_copied:
                stack.callback(_upload, artifact)
        yield


@contextlib.contextmanager
def _replace_uri(artifact: Artifact, folder: str) -> Iterator[None]:
    before, artifact.uri = artifact.uri, folder
    try:
        yield
    finally:
        artifact.uri = before


def _upload(artifact: Artifact) -> None:
    object_store.upload(pathlib.Path(artifact.uri), find_stored_uri(artifact.uri))


def use_local_copies(function: Callable[..., None]) -> Any:
    """Below TFX's `@component`: the function is given artifacts whose URIs are folders."""
    kinds = inspect.get_annotations(function)
    beam = any(isinstance(kind, BeamComponentParameter) for kind in kinds.values())
    inputs = [name for name, kind in kinds.items() if isinstance(kind, InputArtifact)]
    outputs = [name for name, kind in kinds.items() if isinstance(kind, OutputArtifact)]

    @functools.wraps(function)
    def run_locally(**given: Any) -> None:
        with copy_locally(
            _select_artifacts(given, inputs), _select_artifacts(given, outputs), beam
        ):
            function(**given)

    # TFX reads the declaration from the function itself, and a wrapper shows its own.
    run_locally.__signature__ = inspect.signature(function)  # pyright: ignore[reportAttributeAccessIssue]
    return run_locally


class LocalCopiesMixin:
    """The same for an executor of TFX's own components, before its class among the bases."""

    def Do(self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: Any) -> Any:
        """Does what it does, with folders; what it returns names the store's URIs."""
        read = [artifact for artifacts in input_dict.values() for artifact in artifacts]
        written = [artifact for artifacts in output_dict.values() for artifact in artifacts]
        with copy_locally(read, written, beam=True):
            said = super().Do(input_dict, output_dict, exec_properties)  # pyright: ignore[reportAttributeAccessIssue]
        for artifacts in said.output_artifacts.values() if said else ():
            for artifact in artifacts.artifacts:
                artifact.uri = find_stored_uri(artifact.uri)
        return said


def _select_artifacts(given: dict[str, Any], names: list[str]) -> list[Artifact]:
    """An optional input may be left out."""
    return [given[name] for name in names if given.get(name) is not None]


def _is_copied(uri: str, beam: bool) -> bool:
    if beam and uri.startswith(_KNOWN_TO_BEAM_AND_TENSORFLOW):
        return False
    return is_remote(uri)
