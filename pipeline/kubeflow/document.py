"""The YAML for KFP: the pipeline's document and, if there is one, the platform's."""

import pathlib
from typing import Any

import yaml
from google.protobuf import json_format
from kfp.compiler import pipeline_spec_builder
from kfp.pipeline_spec import pipeline_spec_pb2

from schema.errors import UsageError


def write_document(path: pathlib.Path, spec: Any, platform: Any) -> None:
    """Writes both documents as YAML, after a comment that lists the parameters.

    Raises UsageError if `path` has another suffix or cannot be written.
    """
    require_yaml_suffix(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        pipeline_spec_builder.write_pipeline_spec_to_file(spec, None, platform, str(path))
    except OSError as error:
        raise UsageError(
            f"expected to write the pipeline to {path}, received: {error.strerror}; "
            "give another file with --out"
        ) from error


def require_yaml_suffix(path: pathlib.Path) -> None:
    """Raises UsageError for a file name that KFP would not read as YAML."""
    if path.suffix not in (".yaml", ".yml"):
        raise UsageError(f"expected a file that ends in .yaml, received --out {path}; name it so")


def read_document(path: pathlib.Path) -> Any:
    """Reads the pipeline's document; validates it and the platform's with KFP's own messages.

    Raises UsageError for a file that is missing, or that holds anything else.
    """
    try:
        documents = list(yaml.safe_load_all(path.read_text(encoding="utf-8")))
        first, *others = documents
        spec = parse_spec(first)
        for other in others:
            json_format.ParseDict(other, _create_message("PlatformSpec"))
    except OSError as error:
        raise _build_error(path, error.strerror or "nothing readable") from error
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, json_format.ParseError) as error:
        raise _build_error(path, str(error).partition("\n")[0]) from error
    return spec


def parse_spec(document: dict[str, Any]) -> Any:
    """`document` as a message of KFP's pipeline spec; raises ParseError for an unknown field."""
    spec: Any = json_format.ParseDict(document, _create_message("PipelineSpec"))
    executors = json_format.MessageToDict(spec.deployment_spec)  # the spec accepts any
    json_format.ParseDict(executors, _create_message("PipelineDeploymentConfig"))
    return spec


def _create_message(name: str) -> Any:
    return getattr(pipeline_spec_pb2, name)()


def _build_error(path: pathlib.Path, received: str) -> UsageError:
    return UsageError(
        f"expected a document of tandem compile at {path}, received: {received}; compile one"
    )
