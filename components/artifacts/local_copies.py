"""Local copies of artifacts on an object store, while a component runs.

Inputs are downloaded before the component runs, and outputs are uploaded afterwards. The
component's code therefore handles only folders, and TensorFlow's many small reads stay local. If a
URI is a path nothing is copied, but a path with wildcard characters is accessed through a link.

Workers of Beam run on other machines, so artifacts of Beam components are not copied on stores that
both Beam and TensorFlow can access, which is gs://.
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
    """Local copies of this process, by URI. Artifacts are immutable, so one copy is enough."""

    def __init__(self) -> None:
        self._folders: dict[str, tempfile.TemporaryDirectory] = {}

    def make(self, uri: str) -> str:
        """Returns an empty folder, which represents `uri` from now on."""
        folder = tempfile.TemporaryDirectory(prefix="tandem-")
        self._folders[uri] = folder
        return folder.name

    def fetch(self, uri: str) -> str:
        """Returns a local copy of `uri`; downloads it unless it or a parent has a copy already."""
        for whole, folder in self._folders.items():
            if f"{uri}/".startswith(f"{whole}/"):
                return folder.name + uri.removeprefix(whole)
        copy = tempfile.TemporaryDirectory(prefix="tandem-")
        object_store.download(uri, pathlib.Path(copy.name))
        self._folders[uri] = copy  # only when it is complete
        return copy.name

    def find_uri(self, folder: str) -> str:
        """Returns the URI that `folder` is a copy of; `folder` itself if it is not a copy."""
        uris = (uri for uri, copy in self._folders.items() if copy.name == folder)
        return next(uris, folder)


_copies = _Copies()


def find_stored_uri(folder: str) -> str:
    """Returns the original URI or path of a folder that a component received."""
    return plain_path.resolve(_copies.find_uri(folder))


def locate_folder(uri: str) -> pathlib.Path:
    """Returns a local path of an artifact, or of a part of one."""
    return pathlib.Path(_copies.fetch(uri) if is_remote(uri) else uri)


@contextlib.contextmanager
def copy_locally(
    read: Iterable[Artifact], written: Iterable[Artifact], beam: bool = False
) -> Iterator[None]:
    """Replaces the artifacts' URIs with local folders inside the block.

    The artifacts in `written` are uploaded when the block ends, with or without an error: whether
    to keep the output of a failed component is the orchestrator's decision.

    Args:
        read: Input artifacts.
        written: Output artifacts.
        beam: Whether a Beam pipeline reads or writes the artifacts.
    """
    with contextlib.ExitStack() as stack:
        for artifact in read:
            localize = _copies.fetch if _is_copied(artifact.uri, beam) else plain_path.link
            stack.enter_context(_replace_uri(artifact, localize(artifact.uri)))
        for artifact in written:
            is_copied = _is_copied(artifact.uri, beam)
            localize = _copies.make if is_copied else plain_path.link
            stack.enter_context(_replace_uri(artifact, localize(artifact.uri)))
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
    """Decorator, below TFX's `@component`: the function receives artifacts whose URIs are local
    folders.
    """
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

    # TFX inspects the function's signature, which for a wrapper would be (**given).
    run_locally.__signature__ = inspect.signature(function)  # pyright: ignore[reportAttributeAccessIssue]
    return run_locally


class LocalCopiesMixin:
    """The same for an executor of TFX's own components; list it before TFX's class as a base."""

    def Do(self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: Any) -> Any:
        """Runs the executor with local folders; the result refers to the original URIs."""
        read = [artifact for artifacts in input_dict.values() for artifact in artifacts]
        written = [artifact for artifacts in output_dict.values() for artifact in artifacts]
        with copy_locally(read, written, beam=True):
            output = super().Do(input_dict, output_dict, exec_properties)  # pyright: ignore[reportAttributeAccessIssue]
        for artifacts in output.output_artifacts.values() if output else ():
            for artifact in artifacts.artifacts:
                artifact.uri = find_stored_uri(artifact.uri)
        return output


def _select_artifacts(given: dict[str, Any], names: list[str]) -> list[Artifact]:
    """The artifacts of `names` in `given`; an optional input may be missing."""
    return [given[name] for name in names if given.get(name) is not None]


def _is_copied(uri: str, beam: bool) -> bool:
    if beam and uri.startswith(_KNOWN_TO_BEAM_AND_TENSORFLOW):
        return False
    return is_remote(uri)
