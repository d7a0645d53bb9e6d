"""TFX component: queries the servables over gRPC in a new process before a push."""

import os
import subprocess
import sys

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.dsl.io import fileio
from tfx.types import standard_artifacts
from tfx.utils import path_utils

from components.artifacts.local_copies import use_local_copies
from components.artifacts.types import Candidates
from schema.errors import TandemError

_SECONDS = 600


@component
@use_local_copies
def InfraCheck(
    servables: InputArtifact[standard_artifacts.Model],
    candidates: InputArtifact[Candidates],
    infra_verdict: OutputArtifact[standard_artifacts.InfraBlessing],
    recommend: Parameter[str],
) -> None:
    """Raises TandemError with the process's standard error if the check fails.

    Args:
        servables: The exported SavedModels.
        candidates: The catalogue.
        infra_verdict: Receives INFRA_BLESSED with the report of the check.
        recommend: JSON of `schema.recommend.Recommend`.
    """
    folder = path_utils.serving_model_dir(servables.uri)
    finished = subprocess.run(
        [sys.executable, "-m", "serving.infra_check", folder, candidates.uri, recommend],
        check=False,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        env=os.environ | {"TF_USE_LEGACY_KERAS": "1", "CUDA_VISIBLE_DEVICES": ""},
    )
    if finished.returncode != 0:
        raise TandemError(
            f"expected the exported servables to answer in a fresh process, received exit code "
            f"{finished.returncode}: {finished.stderr.strip()[-2000:]}"
        )
    with fileio.open(f"{infra_verdict.uri}/INFRA_BLESSED", "w") as file:
        file.write(finished.stdout)
    infra_verdict.set_int_custom_property("blessed", 1)
