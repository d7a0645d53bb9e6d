"""Which verbs accept an object store as --root is as the documents state it."""

import argparse
import re

from pipeline.cli import command_line
from schema.errors import UsageError
from tests.docs import documents


def find_folder_verbs():
    """The verbs whose --root refuses a URL."""
    refusing = set()
    parser = command_line.build_parser()
    (verbs,) = [each for each in parser._actions if isinstance(each, argparse._SubParsersAction)]
    for name, parser in verbs.choices.items():
        for action in iterate_root_options(parser):
            try:
                action(parser, argparse.Namespace(), "s3://bucket/shop", "--root")
            except UsageError:
                refusing.add(name)
    return refusing


def iterate_root_options(parser):
    for action in parser._actions:
        if "--root" in action.option_strings and type(action) is not argparse._StoreAction:
            yield action
        elif isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from iterate_root_options(below)


def find_listed(name, pattern):
    match = re.search(pattern, documents.read_as_one_line(name))
    assert match is not None
    return set(re.findall(r"`(\w+)`", match[1]))


def test_the_lists_of_verbs_that_need_folders():
    refusing = find_folder_verbs()
    assert refusing == find_listed(
        "docs/BEAM.md", r"push\w* its version to the store\. (.*?) need folders"
    )
    assert refusing == find_listed("docs/LIMITS.md", r"an emulator\. (.*?) need local folders")
