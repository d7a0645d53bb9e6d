"""What a run must know of pushing before it starts."""

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
from serving.versions import local as local_versions
from serving.versions.origin import Origin, RunIdentity, find_newest_version, read_version_origin

_UNRELATED_SECTIONS = {"beam", "serving", "kubeflow", "tune"}
"""Sections that no pushed file depends on."""


@dataclasses.dataclass(frozen=True)
class PushPlan:
    """What the models are compared with, which run pushes them, and whether despite the verdict."""

    compared_with: str
    """Pushed version that the models must not be worse than, "" for none, `newest` where the
    Evaluator finds it."""
    made_by: RunIdentity
    forced: str
    """JSON of `who` and `why`, "" where the verdict decides."""
    beside: str = ""
    """Pushed version that is evaluated on the same queries and decides nothing, "" for none."""
    refusal_fails: bool = True
    """Whether the Pusher fails where the models are refused; else what comes after it does."""


def plan_remote_push(config: Config) -> PushPlan:
    """The plan of a runner that knows neither the data nor the serving directory beforehand."""
    made_by = RunIdentity(pipeline=config.name, fingerprint="", seed=config.seed)
    return PushPlan(NEWEST, made_by, "", refusal_fails=False)


def plan_local_push(
    config: Config,
    data: str,
    serving: pathlib.Path | str,
    reason: str | None,
    ask_oldest: bool = False,
) -> PushPlan:
    """The plan of a run on this machine, to a folder or a URL.

    `data` is the fingerprint of the input, `reason` why models are pushed despite the verdict (None
    where the verdict decides). With `ask_oldest` the oldest version of a folder is evaluated too.
    """
    fingerprint = compute_run_fingerprint(config, data)
    made_by = RunIdentity(pipeline=config.name, fingerprint=fingerprint, seed=config.seed)
    forced = "" if reason is None else json.dumps({"who": _get_user(), "why": reason})
    oldest = _find_oldest(pathlib.Path(serving), fingerprint) if ask_oldest else ""
    return PushPlan(_find_baseline(serving, fingerprint), made_by, forced, oldest)


def _get_user() -> str:
    """Name of the operating system's user; its number where it has none, as in many containers."""
    try:
        return getpass.getuser()
    except KeyError:
        return f"user {os.getuid()}"


def compute_run_fingerprint(config: Config, data: str) -> str:
    """64 hexadecimal digits that differ where what is pushed may; `data` is that of the input."""
    parts = [data, config.model_dump_json(exclude=_UNRELATED_SECTIONS)]
    parts += [text_format.MessageToString(build_table_schema(config, table)) for table in TABLES]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _find_baseline(serving: pathlib.Path | str, fingerprint: str) -> str:
    """The newest version; but where this very run has made it, what it was compared with then, so
    that a run with nothing changed finds all of itself in the cache.
    """
    newest = find_newest_version(serving)
    origin = _read_origin(serving, newest)
    if origin is None or origin.made_by.fingerprint != fingerprint:
        return newest
    return origin.evaluated.judged_against


def _find_oldest(serving: pathlib.Path, fingerprint: str) -> str:
    """The oldest version, "" where there is none but the one that this very run has made."""
    versions = local_versions.versions(serving, RECOMMENDER)
    oldest = str(versions[0]) if versions else ""
    origin = _read_origin(serving, oldest)
    return "" if origin is not None and origin.made_by.fingerprint == fingerprint else oldest


def _read_origin(serving: pathlib.Path | str, version: str) -> Origin | None:
    """None for no version, and for one of unknown origin: evaluation says what is wrong with it."""
    if not version:
        return None
    try:
        return read_version_origin(serving, version)
    except TandemError:
        return None
