"""Which models to serve, from where, and which of their versions: TensorFlow Serving's
models.config and ServableVersionPolicy.

Source of the rules and messages: ValidateModelConfigList and GetPlatform in TensorFlow Serving's
model_servers/server_core.cc.
"""

import collections
import dataclasses
import pathlib
import sys
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from google.protobuf import text_format
from tensorflow_serving.config import file_system_storage_path_source_pb2, model_server_config_pb2

from schema.errors import UsageError
from serving.protocol.errors import RequestError, invalid_argument

_PLATFORM = "tensorflow"
ServableVersionPolicy = (
    file_system_storage_path_source_pb2.FileSystemStoragePathSourceConfig.ServableVersionPolicy
)


@dataclasses.dataclass(frozen=True)
class WatchedModel:
    """A model to serve: the versions in `<base_path>/<version>/` that `policy` selects."""

    name: str
    base_path: pathlib.Path
    policy: ServableVersionPolicy = dataclasses.field(default_factory=ServableVersionPolicy)
    version_labels: Mapping[str, int] = dataclasses.field(default_factory=dict)


def discover_models(serving_dir: pathlib.Path) -> list[WatchedModel]:
    """All models in a serving directory, of which the latest version is to serve; a folder without
    versions is a model that has none yet.
    """
    folders = sorted(serving_dir.iterdir()) if serving_dir.is_dir() else []
    return [
        WatchedModel(folder.name, folder)
        for folder in folders
        if folder.is_dir() and not folder.name.startswith(".")
    ]


def read_model_config(path: pathlib.Path) -> list[WatchedModel]:
    """Reads the models of a text proto of ModelServerConfig.

    Raises UsageError if the file cannot be read or parsed, or has unsupported settings.
    """
    config = model_server_config_pb2.ModelServerConfig()
    try:
        text_format.Parse(path.read_text("utf-8"), config)
        return parse_model_config(config)
    except (OSError, UnicodeDecodeError, text_format.ParseError, RequestError) as error:
        raise UsageError(
            f"expected a text proto of tensorflow.serving.ModelServerConfig in {path}, received "
            f"{error}; fix the file"
        ) from error


def parse_model_config(config: model_server_config_pb2.ModelServerConfig) -> list[WatchedModel]:
    """The models of a configuration, in its order.

    Raises RequestError INVALID_ARGUMENT with TensorFlow Serving's messages: for anything but a
    model_config_list, a model listed twice, a relative base path, another platform than tensorflow;
    and for a logging_config, which is not supported.
    """
    if config.WhichOneof("config") != "model_config_list":
        raise invalid_argument(
            "ServerModelConfig type not supported by HandleReloadConfigRequest. Only "
            "ModelConfigList is currently supported"
        )
    configs = config.model_config_list.config
    for name, times in collections.Counter(model.name for model in configs).items():
        if times > 1:
            raise invalid_argument(f"Illegal to list model {name} multiple times in config list")
    return [_parse_model(model) for model in configs]


def _parse_model(model: model_server_config_pb2.ModelConfig) -> WatchedModel:
    if not pathlib.PurePath(model.base_path).is_absolute() or "\0" in model.base_path:
        raise invalid_argument(
            f"Expected model {model.name} to have an absolute path or URI; got "
            f"base_path()={model.base_path}"
        )
    _check_platform(model)
    if model.HasField("logging_config"):
        raise invalid_argument(f"Model {model.name} has a logging_config, which is not supported")
    return WatchedModel(
        model.name,
        pathlib.Path(model.base_path),
        model.model_version_policy,
        dict(model.version_labels),
    )


def _check_platform(model: model_server_config_pb2.ModelConfig) -> None:
    deprecated = model.model_type == model_server_config_pb2.TENSORFLOW
    if not (model.model_platform or deprecated):
        raise invalid_argument(
            "Illegal setting neither ModelServerConfig::model_type (deprecated) nor "
            f"ModelServerConfig::model_platform, model name is {model.name}"
        )
    if model.model_platform and model.model_platform != _PLATFORM:
        raise invalid_argument(
            f"Model {model.name} requests unsupported platform {model.model_platform}"
        )


class VersionSelection(NamedTuple):
    """Versions to load, highest first, until `enough` of them serve."""

    versions: list[int]
    enough: int


def select_versions(policy: ServableVersionPolicy, on_disk: Sequence[int]) -> VersionSelection:
    """Selects the versions on disk that `policy` wants.

    The default policy is `latest` with one version. It counts versions that serve: one that does
    not load is replaced by the next lower one. A specific version that is not on disk is left out
    until it appears.
    """
    descending = sorted(on_disk, reverse=True)
    choice = policy.WhichOneof("policy_choice")
    if choice == "all":
        return VersionSelection(descending, sys.maxsize)
    if choice == "specific":
        chosen = set(policy.specific.versions)
        return VersionSelection(
            [version for version in descending if version in chosen], sys.maxsize
        )
    return VersionSelection(descending, max(policy.latest.num_versions, 1))
