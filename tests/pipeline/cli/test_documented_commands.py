"""Every `tandem …` line of the documentation, parsed by the command line's own parser."""

import pathlib
import re
import shlex

import pytest

from pipeline import cli

ROOT = pathlib.Path(__file__).resolve().parents[3]
DOCUMENTS = ["README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]
# The arguments that "…" stands for in a line that repeats those of the line above.
REPEATED = "--config shop.toml --data logs --root runs/shop"


def commands(text):
    """Commands of code blocks, with continuation lines joined; without synopses, which contain [ or
    |.
    """
    joined = re.sub(r"\\\n\s*", " ", text)
    lines = re.findall(
        r"^(?: {4,}|\$ )?(?:\.venv/bin/)?(tandem [a-z]+(?: .*)?)$", joined, re.MULTILINE
    )
    return [line for line in lines if not re.search(r"\[-|\|", line)]


def arguments(command):
    return shlex.split(command.replace("…", REPEATED), comments=True)[1:]


CASES = [
    pytest.param(command, id=f"{name}: {command[:60]}")
    for name in DOCUMENTS
    for command in commands((ROOT / name).read_text(encoding="utf-8"))
]


@pytest.mark.parametrize("command", CASES)
def test_the_parser_accepts_it(command):
    args = cli.build_parser().parse_args(arguments(command))
    assert args.verb == command.split()[1]


def test_commands_are_found():
    verbs = {str(case.values[0]).split()[1] for case in CASES}
    assert {"run", "serve", "compile", "schema"} <= verbs


@pytest.mark.parametrize(
    "slip", ["tandem rum --root x", "tandem serve --rot x", "tandem run --config"]
)
def test_a_typo_is_detected(slip, capsys):
    with pytest.raises(SystemExit):
        cli.build_parser().parse_args(arguments(slip))
