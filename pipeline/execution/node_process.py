"""A node of the DAG in a process of its own.

The processes are forks of a server process that has imported TensorFlow and TFX and has run nothing
of them: a fork of a process whose TensorFlow has started threads would hang.
"""

import logging
import multiprocessing
import multiprocessing.connection
import multiprocessing.forkserver
import os
import pathlib
import pickle
import signal
import tempfile
import threading
import traceback
import types
from typing import Any, NamedTuple

from pipeline.console import redirect_output
from schema.errors import StageKilled

_CONTEXT = multiprocessing.get_context("forkserver")
_IMPORTED = ("pipeline.dag", "pipeline.execution.sequential")
_PROGRESS = "tandem.progress"


def start_server() -> None:
    """Starts the server process, which imports while this process goes on. Its environment is that
    of this process now.
    """
    _CONTEXT.set_forkserver_preload(list(_IMPORTED))
    multiprocessing.forkserver.ensure_running()


class NodeRequest(NamedTuple):
    """What a process needs to launch a node, as serialised messages of TFX's compiler."""

    name: str
    pipeline: Any
    """pipeline_pb2.Pipeline"""
    log: str
    """Path of the file that output and logging are appended to."""


class NodeProcess:
    """A started process. `connection` is readable when `receive` returns at once."""

    def __init__(self, request: NodeRequest) -> None:
        self.name = request.name
        self.connection, sender = _CONTEXT.Pipe(duplex=False)
        arguments = (request, dict(os.environ), sender)
        self._process = _CONTEXT.Process(target=_launch, args=arguments)
        self._process.start()
        sender.close()

    def receive(self) -> logging.LogRecord | Exception | None:
        """The next message: a progress record, or at the end None, or the exception of the node;
        StageKilled if its process ended without a result.
        """
        try:
            message = self.connection.recv()
        except EOFError:
            self._process.join()
            return self._explain_death()
        if not isinstance(message, logging.LogRecord):
            self._process.join()
        return message

    def stop(self) -> None:
        """Kills the process if it is still running."""
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

    def _explain_death(self) -> StageKilled:
        code = self._process.exitcode or 0
        cause = signal.Signals(-code).name if code < 0 else f"exit status {code}"
        return StageKilled(
            f"expected {self.name} to finish, but its process ended with {cause}; if that is "
            "SIGKILL, the machine was probably out of memory. Run again: finished stages are cached"
        )


def _launch(
    request: NodeRequest,
    environment: dict[str, str],
    sender: multiprocessing.connection.Connection,
) -> None:
    """Runs in the new process."""
    threading.Thread(target=_die_with_run, daemon=True).start()
    os.environ.clear()
    os.environ.update(environment)
    progress = logging.getLogger(_PROGRESS)
    progress.setLevel(logging.INFO)
    progress.addHandler(_Forward(request.name, sender))
    # A process that multiprocessing has started ends without the functions of `atexit`, by which
    # temporary folders are removed.
    with tempfile.TemporaryDirectory(prefix="tandem-stage-") as folder:
        os.environ["TMPDIR"] = tempfile.tempdir = folder
        with redirect_output(pathlib.Path(request.log)):
            outcome = _run(request)
    sender.send(outcome)


def _die_with_run() -> None:
    """Ends this process when that of the run has ended, even by SIGKILL: the next run would write
    the same files. (Not by Linux's signal at the death of the parent, which is the server.)
    """
    run = multiprocessing.parent_process()
    assert run is not None, "this process was started by the run's"
    multiprocessing.connection.wait([run.sentinel])
    os.kill(os.getpid(), signal.SIGKILL)


def _run(request: NodeRequest) -> Any:
    """The exception of the node in a form that can be sent, None if it has succeeded."""
    from components.artifacts import s3_filesystem
    from pipeline.execution.sequential import launch_node

    s3_filesystem.register()
    outcome = _Outcome(request.name)
    with outcome:
        launch_node(request.pipeline, request.name)
    return outcome.error


class _Outcome:
    """Keeps the exception of its block, which the process of the run raises."""

    def __init__(self, stage: str) -> None:
        self.error: Any = None
        self._stage = stage

    def __enter__(self) -> None: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: types.TracebackType | None,
    ) -> bool:
        if not isinstance(error, Exception):
            return False
        logging.getLogger(__name__).error("stage=%s failed", self._stage, exc_info=error)
        self.error = _make_portable(error)
        return True


def _make_portable(error: Exception) -> Exception:
    """The exception; where it cannot be sent to another process, a RuntimeError with its text. The
    log has the traceback.
    """
    try:
        pickle.loads(pickle.dumps(error))
    except (pickle.PicklingError, TypeError, AttributeError):
        return RuntimeError("".join(traceback.format_exception(error)))
    return error


class _Forward(logging.Handler):
    """Sends progress records to the process of the run, which shows them."""

    def __init__(self, stage: str, sender: multiprocessing.connection.Connection) -> None:
        super().__init__(logging.INFO)
        self._stage = stage
        self._sender = sender

    def emit(self, record: logging.LogRecord) -> None:
        record.msg, record.args = record.getMessage(), None
        record.stage = self._stage
        self._sender.send(record)
