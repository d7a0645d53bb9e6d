"""`--help` states the default of every option that has one."""

import argparse
import re

import pytest

from pipeline.cli import command_line

LOOPBACK = "127.0.0.1"


def iterate_options(parser, verb=""):
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, below in action.choices.items():
                yield from iterate_options(below, f"{verb} {name}".strip())
        elif action.option_strings and "--help" not in action.option_strings:
            yield pytest.param(action, id=f"{verb} {action.option_strings[-1]}")


@pytest.mark.parametrize("action", iterate_options(command_line.build_parser()))
def test_help_has_the_default(action):
    text = action.help % {"default": action.default}
    stated = re.findall(r"\(default: ([^),;]+)", text)
    if action.default is None:  # another default than a value: a setting of the run, a behaviour
        assert not [word for word in stated if word.isdecimal()]
    elif action.default is False or action.default == []:  # a switch, or one that may be repeated
        assert stated == []
    else:
        shown = "loopback" if action.default == LOOPBACK else str(action.default)
        assert stated == [shown]
