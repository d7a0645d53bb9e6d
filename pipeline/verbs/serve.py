"""`tandem serve`: the pushed models of a run over TensorFlow Serving's gRPC and REST."""

import argparse
import contextlib
import gc
import logging
import pathlib
import signal
import threading
from types import FrameType
from typing import TYPE_CHECKING

from pipeline.run_directory import RunDirectory
from schema.errors import UsageError

if TYPE_CHECKING:
    from serving.config import ServingConfig
    from serving.server import RunningServer

SUMMARY = "serve the pushed models over TensorFlow Serving's gRPC and REST"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments."""
    models = parser.add_mutually_exclusive_group(required=True)
    models.add_argument(
        "--root", type=pathlib.Path, help="folder of a finished run: serve its pushed models"
    )
    models.add_argument(
        "--model-config", type=pathlib.Path, metavar="FILE",
        help="TensorFlow Serving's models.config: serve the models and versions that it lists",
    )  # fmt: skip
    parser.add_argument(
        "--monitoring-config", type=pathlib.Path, metavar="FILE",
        help="TensorFlow Serving's monitoring config: whether and where metrics are",
    )  # fmt: skip
    parser.add_argument("--host", help="address to bind (default: loopback)")
    parser.add_argument("--grpc-port", type=int, help="port of gRPC; 0 takes a free one")
    parser.add_argument("--rest-port", type=int, help="port of REST; 0 takes a free one")


def run(args: argparse.Namespace) -> int:
    """Serves until SIGTERM or Ctrl-C, then ends with 0."""
    stopped = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        stopped.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    _log_to_stderr()
    listen = _listen(args)
    with _running(args, listen) as server:
        models = ", ".join(f"{name} {version}" for name, version in server.models.items())
        print(f"serving {models}: gRPC {server.grpc_address}, REST {server.rest_url}", flush=True)
        stopped.wait()
    return 0


def _running(
    args: argparse.Namespace, listen: "ServingConfig"
) -> contextlib.AbstractContextManager["RunningServer"]:
    from serving import model_config, monitoring_config  # TensorFlow: seconds
    from serving.server import running_configured_server, running_server
    from serving.server_options import ServerOptions

    # What is imported stays: passed over, the search for what an unloaded version holds in circles,
    # during which no request is answered, takes some 20 ms instead of 200.
    gc.freeze()
    metrics_path = monitoring_config.DEFAULT_PATH
    if args.monitoring_config is not None:
        metrics_path = monitoring_config.read(args.monitoring_config)
    options = ServerOptions(listen.host, listen.grpc_port, listen.rest_port, metrics_path)
    if args.model_config is None:
        return running_server(RunDirectory(args.root).serving, options)
    return running_configured_server(model_config.read(args.model_config), options)


def _listen(args: argparse.Namespace) -> "ServingConfig":
    from pydantic import ValidationError

    from serving.config import ServingConfig

    given = {"host": args.host, "grpc_port": args.grpc_port, "rest_port": args.rest_port}
    try:
        return ServingConfig(**{key: value for key, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        option = str(first["loc"][0]).replace("_", "-")
        raise UsageError(f"--{option}: {first['msg']}, received {first['input']!r}") from error


def _log_to_stderr() -> None:
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.WARNING)
    logging.getLogger("serving").setLevel(logging.INFO)
