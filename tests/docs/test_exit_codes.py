"""Every exit code that a document or the command line's docstring mentions is one that a verb ends
with.
"""

import re

import pytest

from pipeline.cli import command_line
from schema import errors
from tests.docs import documents


def list_error_types(error):
    return [error, *(each for child in error.__subclasses__() for each in list_error_types(child))]


CODES = {error.exit_code for error in list_error_types(errors.TandemError)}
CODES |= {0, 130, command_line.READER_GONE}
KILLED = 137  # of a pod that needed too much memory; no code of ours


@pytest.mark.parametrize("name", documents.NAMES)
def test_documents(name):
    mentions = re.findall(
        r"[Ee]xit(?:s with| codes?) ([\d, and]+)", documents.read_as_one_line(name)
    )
    codes = {int(code) for mention in mentions for code in re.findall(r"\d+", mention)}
    assert codes <= CODES | {KILLED}


def test_the_docstring_of_the_command_line():
    _, _, listed = (command_line.__doc__ or "").partition("Exit codes:")
    assert {int(code) for code in re.findall(r"(?<!\w)\d+", listed)} == CODES


def test_the_tree_in_the_docstring_of_the_errors():
    tree = re.findall(r"(\w+) +(\d) ", errors.__doc__ or "")
    expected = {error.__name__: error.exit_code for error in list_error_types(errors.TandemError)
                if error.__module__ == errors.__name__}  # fmt: skip
    assert {name: int(code) for name, code in tree} == expected
