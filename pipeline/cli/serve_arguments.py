"""Arguments of `tandem serve`, and the server options that follow from them."""

import argparse
import pathlib
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from pipeline.cli import arguments
from schema.errors import NoRunError, UsageError

if TYPE_CHECKING:
    from serving.config import ServingConfig
    from serving.server.batching_config import BatchingConfig
    from serving.server.options import ServerOptions
    from serving.server.request_log import RequestLog
    from serving.server.security import ServerSecurity

_MIB = 2**20
_LIMITS = {
    "max_tensor_bytes": "maximum number of bytes of all inputs",
    "max_rows": "maximum number of rows",
    "max_list": "maximum length of a list in a row: history, exclusions, candidates",
    "max_categories": "maximum number of allowed categories of a row",
    "max_k": "maximum length of a list in a response",
    "max_scored": "maximum number of items to score: rows times k, or times candidates",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds all arguments but those that select the models."""
    parser.add_argument("--host", help="address to bind (default: serving.host of the run)")
    parser.add_argument(
        "--grpc-port",
        type=int,
        help="port of gRPC; 0 for a free one (default: serving.grpc_port of the run)",
    )
    parser.add_argument(
        "--rest-port",
        type=int,
        help="port of REST; 0 for a free one (default: serving.rest_port of the run)",
    )
    _add_file(
        parser, "--monitoring-config", "TensorFlow Serving's MonitoringConfig: the path of metrics"
    )
    _add_file(parser, "--batching-parameters-file", "TensorFlow Serving's BatchingParameters")
    parser.add_argument(
        "--max-message-bytes", type=int, default=64 * _MIB, metavar="N",
        help="maximum size of a request, in bytes (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--grace-seconds", type=float, default=5.0, metavar="S",
        help="seconds for calls in progress at shutdown (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--tensorflow-intra-op-parallelism", type=int, default=1, metavar="N",
        help="threads within an op; 0 lets TensorFlow decide (default: 1, as calls run in "
        "parallel)",
    )  # fmt: skip
    _add_limits(parser.add_argument_group("limits of a request"))
    _add_security(parser.add_argument_group("security"))
    _add_log(parser.add_argument_group("request log"))


def _add_limits(group: "argparse._ArgumentGroup") -> None:
    for key, text in _LIMITS.items():
        option = f"--{key.replace('_', '-')}"
        group.add_argument(
            option, type=int, metavar="N", help=f"{text} (default: serving.limits.{key} of the run)"
        )


def _add_security(group: "argparse._ArgumentGroup") -> None:
    _add_file(group, "--tls-certificate", "certificate chain of the server, PEM")
    _add_file(group, "--tls-key", "its key, PEM")
    _add_file(group, "--tls-client-roots", "root certificates of the clients, PEM")
    _add_file(group, "--ssl-config-file", "TensorFlow Serving's SSLConfig, instead of these three")
    _add_file(group, "--token-file", "bearer token that every request must have, one line")


def _add_log(group: "argparse._ArgumentGroup") -> None:
    arguments.add_location(
        group,
        "--request-log",
        metavar="FOLDER",
        help="folder for a log of the items that were shown",
    )
    group.add_argument(
        "--request-log-sample", type=float, default=1.0, metavar="SHARE",
        help="share of requests that are logged (default: %(default)s)",
    )  # fmt: skip
    group.add_argument(
        "--request-log-file-bytes", type=int, default=64 * _MIB, metavar="N",
        help="size in bytes at which a new file is started (default: %(default)s)",
    )  # fmt: skip
    group.add_argument(
        "--request-log-files", type=int, default=16, metavar="N",
        help="number of files to keep (default: %(default)s)",
    )  # fmt: skip


def _add_file(parser: "argparse._ActionsContainer", option: str, text: str) -> None:
    arguments.add_location(parser, option, metavar="FILE", help=text)


def build_options(args: argparse.Namespace, serving_dir: pathlib.Path | None) -> "ServerOptions":
    """The server options that follow from the arguments; `serving_dir` is that of the served run,
    None with `--model-config`. Raises UsageError for values that are not allowed, and ConfigError
    if user ids must be hashed and the key is missing.
    """
    from serving.server.metrics import DEFAULT_METRICS_PATH, read_metrics_path
    from serving.server.options import ServerOptions

    config = _build_config(args)
    metrics_path = DEFAULT_METRICS_PATH
    if args.monitoring_config is not None:
        metrics_path = read_metrics_path(args.monitoring_config)
    for option, value in (("--max-message-bytes", args.max_message_bytes), *_list_log_sizes(args)):
        if value < 1:
            raise UsageError(f"expected {option} of at least 1, received {value}")
    return ServerOptions(
        host=config.host,
        grpc_port=config.grpc_port,
        rest_port=config.rest_port,
        metrics_path=metrics_path,
        batching=_read_batching(args, serving_dir),
        max_message_bytes=args.max_message_bytes,
        limits=config.limits,
        grace_s=args.grace_seconds,
        security=_read_security(args),
        request_log=_build_request_log(args, serving_dir),
    )


def _list_log_sizes(args: argparse.Namespace) -> list[tuple[str, int]]:
    return [
        ("--request-log-file-bytes", args.request_log_file_bytes),
        ("--request-log-files", args.request_log_files),
    ]


def _build_config(args: argparse.Namespace) -> "ServingConfig":
    """`[serving]` of the served run, if there is one, overridden by the options."""
    from serving.config import RequestLimits, ServingConfig

    run_config = _read_run_config(args)
    options = {"host": args.host, "grpc_port": args.grpc_port, "rest_port": args.rest_port}
    try:
        limits = run_config.get("limits", {}) | _drop_none(
            {key: getattr(args, key) for key in _LIMITS}
        )
        values = run_config | _drop_none(options) | {"limits": RequestLimits(**limits)}
        return ServingConfig.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        option = str(first["loc"][0]).replace("_", "-")
        raise UsageError(f"--{option}: {first['msg']}, received {first['input']!r}") from error


def _drop_none(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def _read_run_config(args: argparse.Namespace) -> dict[str, Any]:
    if args.root is None:
        return {}
    from pipeline.run_root import load_summary

    try:
        return load_summary(str(args.root)).config["serving"]
    except NoRunError:  # a folder of pushed models alone
        return {}


def _read_batching(args: argparse.Namespace, serving_dir: pathlib.Path | None) -> "BatchingConfig":
    """The configuration in the file. Without a file, models of a run are batched, and others are
    not, as in TensorFlow Serving.
    """
    from serving.server import batching_config

    if args.batching_parameters_file is not None:
        return batching_config.read(args.batching_parameters_file)
    return batching_config.UNBATCHED if serving_dir is None else batching_config.BatchingConfig()


def _read_security(args: argparse.Namespace) -> "ServerSecurity":
    from serving.server.security import ServerSecurity, read_ssl_config, read_tls, read_token

    files = [args.tls_certificate, args.tls_key, args.tls_client_roots]
    if args.ssl_config_file is not None and any(files):
        raise UsageError(
            "expected --ssl-config-file or --tls-certificate and --tls-key, received both; "
            "remove one"
        )
    if (args.tls_certificate is None) != (args.tls_key is None) or (
        args.tls_client_roots is not None and args.tls_certificate is None
    ):
        raise UsageError(
            "expected --tls-certificate and --tls-key together, received one of them, or "
            "--tls-client-roots alone; give both"
        )
    tls = None
    if args.ssl_config_file is not None:
        tls = read_ssl_config(args.ssl_config_file)
    elif args.tls_certificate is not None:
        tls = read_tls(args.tls_certificate, args.tls_key, args.tls_client_roots)
    token = "" if args.token_file is None else read_token(args.token_file)
    return ServerSecurity(tls, token)


def _build_request_log(
    args: argparse.Namespace, serving_dir: pathlib.Path | None
) -> "RequestLog | None":
    from serving.server.request_log import RequestLog
    from serving.server.rotating_log import Rotation

    if args.request_log is None:
        return None
    if not 0 < args.request_log_sample <= 1:
        raise UsageError(
            "expected --request-log-sample above 0 and at most 1, received "
            f"{args.request_log_sample}"
        )
    rotation = Rotation(args.request_log_file_bytes, args.request_log_files)
    return RequestLog(args.request_log, args.request_log_sample, rotation, _read_key(serving_dir))


def _read_key(serving_dir: pathlib.Path | None) -> bytes | None:
    """The key with which the served run hashed user ids; None if it did not hash them."""
    from schema import refresh_inputs
    from schema.user_ids import load_key
    from serving.versions.origin import CANDIDATES_FOLDER, find_newest_version, get_extra_folder

    version = "" if serving_dir is None else find_newest_version(serving_dir)
    if serving_dir is None or not version:
        return None
    uri = str(get_extra_folder(serving_dir, version) / CANDIDATES_FOLDER)
    key_location = refresh_inputs.load_dataset(uri).data.hash_user_ids
    return None if key_location is None else load_key(key_location)
