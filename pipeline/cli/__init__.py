"""The command line: `tandem VERB …`."""

from pipeline.cli.command_line import build_parser, main

__all__ = ["build_parser", "main"]
