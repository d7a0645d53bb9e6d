"""The Dockerfile, read by dockerfile-parse: its stages, and what a stage copies, runs and sets."""

import pathlib
import re
from typing import NamedTuple

from dockerfile_parse import DockerfileParser


class Instruction(NamedTuple):
    """One instruction, its continuation lines joined."""

    name: str
    value: str


class Stage(NamedTuple):
    """What stands from one FROM to the next."""

    base: str
    name: str
    instructions: list[Instruction]

    def values(self, name: str) -> list[str]:
        """Values of every instruction of that name."""
        return [found.value for found in self.instructions if found.name == name]


def stages(path: pathlib.Path) -> list[Stage]:
    """Stages of the Dockerfile at `path` in order."""
    found: list[Stage] = []
    for entry in DockerfileParser(path=str(path)).structure:
        name, value = entry["instruction"], entry["value"]
        if name == "FROM":
            base, _, alias = value.partition(" AS ")
            found.append(Stage(base, alias, []))
        elif name != "COMMENT":
            found[-1].instructions.append(Instruction(name, value))
    return found


def environment(stage: Stage) -> dict[str, str]:
    """What ENV of the stage sets; no value here has a space in it."""
    return dict(re.findall(r"(\w+)=(\S+)", " ".join(stage.values("ENV"))))


def shell(run: str) -> str:
    """The command of a RUN, without its options."""
    return re.sub(r"^(--\S+\s+)+", "", run)
