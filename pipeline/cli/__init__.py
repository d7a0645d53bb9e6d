"""The command line: `tandem VERB …`."""

from pipeline.cli.command_line import main, parser

__all__ = ["main", "parser"]
