"""docs/VERBS.md, generated from the parser of the command line.

`python -m pipeline.cli.reference` prints it, `python -m pipeline.cli.reference FILE` writes it to
FILE.
"""

import argparse
import functools
import pathlib
import sys
from collections.abc import Iterator

from pipeline.cli import command_line as cli

WIDTH = 98
"""Columns of the help texts."""

INTRODUCTION = """\
# Verbs

This page is generated from `tandem VERB --help`; `make fix` writes it.

## Examples

    tandem run --config configs/movietweetings.toml --data movietweetings/ --root runs/films
    tandem run … --set retrieval.epochs=3 --set index.kind=exact   # override keys of the TOML
    tandem run … --json                                 # print summary.json alone on stdout
    tandem run … --force-push "why"                     # push although the models are not blessed
    tandem recommend --root runs/films --user 42 --k 10
    tandem recommend --root runs/films --user 42 --server localhost:8500
    tandem batch --root runs/films --users all --k 100 --out lists.jsonl
    tandem serve --root runs/films                      # gRPC on 8500, REST on 8501
    tandem ops --root runs/films                        # can TensorFlow Serving load the models?
    tandem refresh --root runs/films --items new.csv    # new items, without training
    tandem tune --config shop.toml --data logs/ --root runs/shop   # writes runs/shop/tuned.toml
    tandem compile --config shop.toml --image registry/shop:1 --out shop.yaml
    tandem submit --endpoint http://localhost:8080 --package shop.yaml
    tandem tensorboard --root runs/films
    tandem doctor                                       # is the environment complete?
    tandem fetch movielens-1m
    tandem init --data logs/                            # write a first TOML for these files
    tandem recipes                                      # configurations of published data sets
    tandem recipes retailrocket                         # print its TOML
    tandem simulate --users 3000 --items 1500 --events 60000 --seed 7 --out logs/
    tandem backfill --config configs/recurring.toml --data logs/ --root runs/days \\
        --from 2024-04-16 --to 2024-04-22               # is daily retraining worth it?
    tandem schema infer --config shop.toml --data logs/ --out schemas/
    tandem schema diff --root runs/shop --config shop.toml --data new/

## Exit codes

| code | meaning |
| --- | --- |
| 0 | Success. |
| 1 | A failure that has no code of its own, such as a failed infra check or a defect of Tandem. |
| 2 | A wrong argument, configuration or environment; training that diverged; a full disk. |
| 3 | Data that break a rule: too many rejected records, or a violated schema. |
| 4 | A model or index that is not good enough to be pushed: [BLESSING.md](BLESSING.md). |
| 130 | Interrupted with Ctrl-C. The next run resumes after the last finished stage. |
| 141 | The reader of standard output, such as `head` in a pipe, has closed it. |
"""


def render() -> str:
    """The page as Markdown: examples, exit codes, and the help text of every verb."""
    sections = [
        f"## `{parser.prog}`\n\n```text\n{_format_help(parser)}```\n"
        for parser in _find_verbs(cli.build_parser())
    ]
    return "\n".join([INTRODUCTION, *sections])


def _find_verbs(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """The parsers without subcommands, in alphabetical order."""
    groups = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    if not groups:
        yield parser
    for group in groups:
        for name in sorted(group.choices):
            yield from _find_verbs(group.choices[name])


def _format_help(parser: argparse.ArgumentParser) -> str:
    parser.formatter_class = functools.partial(argparse.HelpFormatter, width=WIDTH)
    return parser.format_help()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        pathlib.Path(sys.argv[1]).write_text(render(), encoding="utf-8")
    else:
        sys.stdout.write(render())
