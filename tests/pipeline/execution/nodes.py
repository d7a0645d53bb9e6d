"""A DAG of nodes that do what a test plants."""

import logging
import os
import pathlib
import signal
import time

from tfx import v1 as tfx
from tfx.dsl.component.experimental.annotations import OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types.standard_artifacts import String

from pipeline.execution.parallel import ParallelRunner
from schema.errors import DataRefused

PATIENCE_SECONDS = 240.0


class CannotBePickled(Exception):
    """Its reduction needs an argument that pickle does not give."""

    def __init__(self, first, second):
        super().__init__(f"{first} and {second}")


def wait_for(path: pathlib.Path) -> None:
    """Waits until the file exists."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not path.exists():
        if time.monotonic() > end:
            raise TimeoutError(f"expected {path}, which did not appear")
        time.sleep(0.02)


@component
def Node(
    name: Parameter[str],
    action: Parameter[str],
    folder: Parameter[str],
    output: OutputArtifact[String],
):
    """Writes NAME.begun, performs the action, and writes NAME.ended."""
    home = pathlib.Path(folder)
    (home / f"{name}.begun").write_text(str(os.getpid()))
    kind, _, argument = action.partition(" ")
    if kind == "wait":
        wait_for(home / argument)
    elif kind == "refuse":
        raise DataRefused(argument)
    elif kind == "unpicklable":
        raise CannotBePickled("one", "two")
    elif kind == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    elif kind == "report":
        logging.getLogger("tandem.progress").info("progress=%s", argument)
    (home / f"{name}.ended").touch()
    output.value = name


def build(folder: pathlib.Path, actions: dict[str, str]) -> tfx.dsl.Pipeline:
    """`last` depends on `one`, and on nothing else; the other nodes depend on nothing."""
    nodes = {
        name: Node(name=name, action=action, folder=str(folder)).with_id(name)
        for name, action in actions.items()
    }
    if "last" in nodes:
        nodes["last"].add_upstream_node(nodes["one"])
    connection = tfx.orchestration.metadata.sqlite_metadata_connection_config(
        str(folder / "metadata.sqlite")
    )
    return tfx.dsl.Pipeline(
        pipeline_name="planted",
        pipeline_root=str(folder / "artifacts"),
        components=list(nodes.values()),
        enable_cache=True,
        metadata_connection_config=connection,
    )


def run(folder: pathlib.Path, actions: dict[str, str], limit: int = 2) -> list[str]:
    """Runs the nodes at `folder`; returns them in the order in which they finished."""
    finished: list[str] = []
    runner = ParallelRunner(
        limit,
        folder / "run.log",
        lambda name: None,
        lambda name, seconds: finished.append(name),
    )
    runner.run(build(folder, actions))
    return finished
