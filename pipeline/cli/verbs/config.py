"""`tandem config`: the reference of the configuration file, docs/CONFIG.md."""

import argparse

SUMMARY = "print the reference of the configuration file"


def configure(parser: argparse.ArgumentParser) -> None:
    """The verb has no arguments."""


def run(args: argparse.Namespace) -> int:
    """Prints the page as Markdown."""
    from pipeline.config.reference import render_reference

    print(render_reference(), end="")
    return 0
