"""The Dockerfile, read by dockerfile-parse: its stages and their instructions."""

import pathlib
import re
from typing import NamedTuple

from dockerfile_parse import DockerfileParser


class Instruction(NamedTuple):
    """One instruction, with continuation lines joined."""

    name: str
    value: str


class Stage(NamedTuple):
    """The instructions from one FROM to the next."""

    base: str
    name: str
    instructions: list[Instruction]

    def values(self, name: str) -> list[str]:
        """Values of all instructions with this name."""
        return [instruction.value for instruction in self.instructions if instruction.name == name]


def read_stages(path: pathlib.Path) -> list[Stage]:
    """Stages of the Dockerfile at `path`, in order."""
    stages: list[Stage] = []
    for entry in DockerfileParser(path=str(path)).structure:
        name, value = entry["instruction"], entry["value"]
        if name == "FROM":
            base, _, alias = value.partition(" AS ")
            stages.append(Stage(base, alias, []))
        elif name != "COMMENT":
            stages[-1].instructions.append(Instruction(name, value))
    return stages


def get_environment(stage: Stage) -> dict[str, str]:
    """Variables that the stage's ENV instructions set; values must not contain spaces."""
    return dict(re.findall(r"(\w+)=(\S+)", " ".join(stage.values("ENV"))))


def get_command(run: str) -> str:
    """The command of a RUN, without its options."""
    return re.sub(r"^(--\S+\s+)+", "", run)
