"""Uploads a compiled document to a Kubeflow Pipelines server and runs it once or on a schedule."""

import contextlib
import dataclasses
import hashlib
import io
import json
import pathlib
import re
import warnings
from collections.abc import Iterator
from typing import Any

import kfp
import kfp_server_api
import urllib3

from schema.errors import UsageError

_SECONDS = 20
_EQUALS = 1  # operation of KFP's filters, api/v2beta1/filter.proto


@dataclasses.dataclass(frozen=True)
class Submission:
    """What to run on the server, and under which names."""

    package: pathlib.Path
    pipeline: str
    experiment: str
    run: str
    parameters: dict[str, str | int]
    root: str
    """URL below which tasks write artifacts; "" for the server's default. A self-hosted backend
    reads it only from the run, not from the document (backend/src/v2/driver/root_dag.go)."""
    cron: str | None
    """Cron expression of six fields, seconds first; None for one run that starts at once."""


def submit_pipeline(endpoint: str, token: str | None, submission: Submission) -> dict[str, str]:
    """Uploads the document and starts or schedules it.

    A document that the server already has is not uploaded again. Raises UsageError if the server
    cannot be reached or rejects the request.

    Returns:
        Ids under the keys pipeline, version, experiment, and run or recurring_run.
    """
    # The client prints links to stdout.
    with _translate_errors(endpoint), contextlib.redirect_stdout(io.StringIO()):
        _require_server(endpoint, token)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # the client only supports KFP v2
            client: Any = kfp.Client(host=endpoint, existing_token=token)
        pipeline, version = _upload_document(client, submission)
        experiment = client.create_experiment(submission.experiment).experiment_id
        started = _start_run(client, submission, experiment, pipeline, version)
    return {"pipeline": pipeline, "version": version, "experiment": experiment} | started


def _require_server(endpoint: str, token: str | None) -> None:
    """Checks that the server is healthy; the client would retry and log tracebacks."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    url = f"{endpoint.rstrip('/')}/apis/v2beta1/healthz"
    answer = urllib3.PoolManager(retries=False, timeout=_SECONDS).request(
        "GET", url, headers=headers
    )
    if answer.status != 200:
        raise UsageError(
            f"expected Kubeflow Pipelines at {endpoint}, received HTTP {answer.status} of {url}; "
            "give the address of its API with --endpoint, and --token-file if it requires a token"
        )


def _upload_document(client: Any, submission: Submission) -> tuple[str, str]:
    """Ids of the pipeline and of the version, whose name is a digest of the document."""
    package = str(submission.package)
    name = hashlib.sha256(submission.package.read_bytes()).hexdigest()[:16]
    pipeline = client.get_pipeline_id(submission.pipeline)
    if pipeline is None:
        pipeline = client.upload_pipeline(package, submission.pipeline).pipeline_id
        return pipeline, _list_versions(client, pipeline)[0].pipeline_version_id
    versions = _list_versions(client, pipeline, name)
    if versions:
        return pipeline, versions[0].pipeline_version_id
    version = client.upload_pipeline_version(package, name, pipeline_id=pipeline)
    return pipeline, version.pipeline_version_id


def _list_versions(client: Any, pipeline: str, name: str | None = None) -> list[Any]:
    predicate = {"operation": _EQUALS, "key": "display_name", "stringValue": name}
    filter_json = None if name is None else json.dumps({"predicates": [predicate]})
    return client.list_pipeline_versions(pipeline, filter=filter_json).pipeline_versions or []


def _start_run(
    client: Any, submission: Submission, experiment: str, pipeline: str, version: str
) -> dict[str, str]:
    arguments = {
        "params": submission.parameters,
        "pipeline_id": pipeline,
        "version_id": version,
        "pipeline_root": submission.root or None,
    }
    if submission.cron is None:
        return {"run": client.run_pipeline(experiment, submission.run, **arguments).run_id}
    created = client.create_recurring_run(
        experiment, submission.run, cron_expression=submission.cron, no_catchup=True, **arguments
    )
    return {"recurring_run": created.recurring_run_id}


@contextlib.contextmanager
def _translate_errors(endpoint: str) -> Iterator[None]:
    try:
        yield
    except urllib3.exceptions.HTTPError as error:
        raise UsageError(
            f"expected Kubeflow Pipelines at {endpoint}, received: {_get_first_line(error)}; "
            "check the address and whether the server is running"
        ) from error
    except kfp_server_api.ApiException as error:
        raise UsageError(
            f"expected Kubeflow Pipelines at {endpoint} to accept the run, received HTTP "
            f"{error.status} {error.reason}: {_get_message(error)}; fix that"
        ) from error


def _get_first_line(error: Exception) -> str:
    """The first line, without the connection object that urllib3 puts before it."""
    return re.sub(r"<\S+ object at 0x\w+>: ", "", str(error).partition("\n")[0])


def _get_message(error: kfp_server_api.ApiException) -> str:
    """The server's message, if the body is JSON like KFP's."""
    try:
        return str(json.loads(error.body or "")["message"])
    except (ValueError, KeyError, TypeError):
        return "no reason given"
