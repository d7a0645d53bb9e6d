"""Pushes the three servables together, under one version, when evaluation and infra check allow
it.
"""

import json
import pathlib

from tfx.components.evaluator import constants
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types import standard_artifacts
from tfx.utils import path_utils

from schema.errors import NotBlessed
from schema.signatures import SERVABLES
from serving import pushed_versions


@component
def Pusher(
    servables: InputArtifact[standard_artifacts.Model],
    verdict: InputArtifact[standard_artifacts.ModelBlessing],
    infra_verdict: InputArtifact[standard_artifacts.InfraBlessing],
    pushed: OutputArtifact[standard_artifacts.PushedModel],
    serving_dir: Parameter[str],
) -> None:
    """Raises NotBlessed, nothing pushed, when the evaluator said no.

    `infra_verdict` is a dependency only: a failed infra check has stopped the run already.
    """
    if verdict.get_int_custom_property("blessed") != constants.BLESSED_VALUE:
        raise NotBlessed(
            "expected blessed models, received ones that fail evaluation; nothing was pushed:\n  "
            + verdict.get_string_custom_property("failures")
        )
    source = pathlib.Path(path_utils.serving_model_dir(servables.uri))
    target = pathlib.Path(serving_dir)
    version = pushed_versions.next_version(target)
    paths = pushed_versions.push({name: source / name for name in SERVABLES}, target, version)
    described = {name: {"path": str(path), "version": version} for name, path in paths.items()}
    pushed.set_string_custom_property("servables", json.dumps(described))
