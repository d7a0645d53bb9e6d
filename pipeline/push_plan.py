"""How a run pushes its models: a plan that is made before the run starts."""

import dataclasses
import getpass
import hashlib
import json
import os
import pathlib

from google.protobuf import text_format

from components.evaluator import NEWEST
from pipeline.config.config import TABLES, Config
from pipeline.config.table_schemas import build_table_schema
from schema.errors import TandemError
from schema.signatures import RECOMMENDER
from serving.versions.local import LocalVersionStore
from serving.versions.origin import Origin, RunIdentity, find_newest_version, read_version_origin

_UNRELATED_SECTIONS = {"beam", "serving", "kubeflow", "tune"}
"""Sections of the configuration that no pushed file depends on."""


@dataclasses.dataclass(frozen=True)
class PushPlan:
    """Versions to compare the models with, the run that pushes them, and an override of the
    verdict.
    """

    baseline_version: str
    """Pushed version that the models must not be worse than; "" for none, `newest` if the Evaluator
    looks it up."""
    run_identity: RunIdentity
    override: str
    """JSON of `who` overrides the verdict and `why`; "" if the verdict decides."""
    comparison_version: str = ""
    """Pushed version that is evaluated on the same queries without effect on the verdict; "" for
    none."""
    refusal_fails: bool = True
    """Whether the Pusher fails if the models are not blessed; otherwise a later task fails."""


def plan_remote_push(config: Config) -> PushPlan:
    """The plan of a runner that cannot read the data or the serving directory beforehand."""
    run_identity = RunIdentity(pipeline=config.name, fingerprint="", seed=config.seed)
    return PushPlan(NEWEST, run_identity, "", refusal_fails=False)


def plan_local_push(
    config: Config,
    data: str,
    serving: pathlib.Path | str,
    reason: str | None,
    evaluate_oldest: bool = False,
) -> PushPlan:
    """The plan of a run on this machine, which pushes to a folder or a URL.

    Args:
        config: The pipeline's configuration.
        data: Fingerprint of the input files.
        serving: Serving directory, a path or a URL.
        reason: Why the models are pushed despite the verdict; None if the verdict decides.
        evaluate_oldest: Also evaluate the oldest version; for a folder only.
    """
    fingerprint = compute_run_fingerprint(config, data)
    run_identity = RunIdentity(pipeline=config.name, fingerprint=fingerprint, seed=config.seed)
    override = "" if reason is None else json.dumps({"who": _get_user(), "why": reason})
    oldest = _find_oldest(pathlib.Path(serving), fingerprint) if evaluate_oldest else ""
    return PushPlan(_find_baseline(serving, fingerprint), run_identity, override, oldest)


def _get_user() -> str:
    """Name of the operating system's user; `user UID` if it has no name, as in many containers."""
    try:
        return getpass.getuser()
    except KeyError:
        return f"user {os.getuid()}"


def compute_run_fingerprint(config: Config, data: str) -> str:
    """SHA-256 in hexadecimal digits of everything that pushed files depend on; `data` is the
    fingerprint of the input files.
    """
    parts = [data, config.model_dump_json(exclude=_UNRELATED_SECTIONS)]
    parts += [text_format.MessageToString(build_table_schema(config, table)) for table in TABLES]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _find_baseline(serving: pathlib.Path | str, fingerprint: str) -> str:
    """The newest version. If this run has pushed it, the version that it was compared with then, so
    that a run with no changes comes from the cache completely.
    """
    newest = find_newest_version(serving)
    origin = _read_origin(serving, newest)
    if origin is None or origin.made_by.fingerprint != fingerprint:
        return newest
    return origin.evaluated.judged_against


def _find_oldest(serving: pathlib.Path, fingerprint: str) -> str:
    """The oldest version; "" if there is none, or if this run has pushed it."""
    versions = LocalVersionStore(serving).list_versions(RECOMMENDER)
    oldest = str(versions[0]) if versions else ""
    origin = _read_origin(serving, oldest)
    return "" if origin is not None and origin.made_by.fingerprint == fingerprint else oldest


def _read_origin(serving: pathlib.Path | str, version: str) -> Origin | None:
    """None for no version, and for one of unknown origin, whose fault the Evaluator reports."""
    if not version:
        return None
    try:
        return read_version_origin(serving, version)
    except TandemError:
        return None
