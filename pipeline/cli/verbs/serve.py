"""`tandem serve`: the pushed models of a run over TensorFlow Serving's gRPC and REST."""

import argparse
import contextlib
import gc
import ipaddress
import logging
import os
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import TYPE_CHECKING

from pipeline.cli import arguments, serve_arguments

if TYPE_CHECKING:
    from serving.server.app import RunningServer
    from serving.server.options import ServerOptions

_log = logging.getLogger(__name__)
_ENDING_SECONDS = 2.0
"""Time to close connections once the grace period is over."""
SUMMARY = "serve the pushed models over TensorFlow Serving's gRPC and REST"


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's arguments."""
    models = parser.add_mutually_exclusive_group(required=True)
    arguments.add_root_location(
        models, "folder or URL of a finished run: serve its pushed models", required=False
    )
    arguments.add_location(
        models, "--model-config", metavar="FILE",
        help="TensorFlow Serving's models.config: serve the models and versions in it",
    )  # fmt: skip
    serve_arguments.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Serves until SIGTERM or Ctrl-C, then ends with 0."""
    stopped = threading.Event()
    _log_to_stderr()
    with _handle_signals(stopped, args.grace_seconds), _run_server(args) as server:
        models = ", ".join(f"{name} {version}" for name, version in server.models.items())
        print(f"serving {models}: gRPC {server.grpc_address}, REST {server.rest_url}", flush=True)
        stopped.wait()
    return 0


@contextlib.contextmanager
def _handle_signals(stopped: threading.Event, grace_s: float) -> Iterator[None]:
    """SIGTERM and Ctrl-C set `stopped` inside the block."""

    def stop(number: int, frame: FrameType | None) -> None:
        if not stopped.is_set():
            _end_after(grace_s + _ENDING_SECONDS)
        stopped.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end_after(seconds: float) -> None:
    """Ends the process after `seconds`: a call that runs in TensorFlow cannot be cancelled, and
    Python would wait for its thread.
    """

    def end() -> None:
        _log.warning("ending the process while calls still run seconds=%g", seconds)
        os._exit(0)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()


@contextlib.contextmanager
def _run_server(args: argparse.Namespace) -> Iterator["RunningServer"]:
    _limit_op_threads(args.tensorflow_intra_op_parallelism)
    from serving.server.app import run_configured_server, run_server
    from serving.server.model_config import read_model_config  # TensorFlow: seconds
    from serving.versions.store import open_version_store

    # Imported modules are never collected. Without them, a garbage collection after a version is
    # unloaded, during which no request is answered, takes some 20 ms instead of 200.
    gc.freeze()
    with contextlib.ExitStack() as stack:
        folder = None
        if args.root is not None:
            folder = stack.enter_context(open_version_store(f"{args.root}/serving").follow())
        options = serve_arguments.build_options(args, folder)
        _warn_if_exposed(options)
        if folder is None:
            watched = read_model_config(args.model_config)
            yield stack.enter_context(run_configured_server(watched, options))
        else:
            yield stack.enter_context(run_server(folder, options))


def _limit_op_threads(threads: int) -> None:
    if threads:
        os.environ["TF_NUM_INTRAOP_THREADS"] = str(threads)  # read when TensorFlow starts


def _warn_if_exposed(options: "ServerOptions") -> None:
    if _is_loopback(options.host):
        return
    if options.security.tls is None or not options.security.token:
        _log.warning(
            "host=%s can be reached from outside without TLS or without a token; set "
            "--tls-certificate, --tls-key and --token-file",
            options.host,
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:  # a host name
        return host == "localhost"


def _log_to_stderr() -> None:
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.WARNING)
    logging.getLogger("serving").setLevel(logging.INFO)
