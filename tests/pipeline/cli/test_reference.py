"""docs/VERBS.md equals the generated reference, and its exit codes are those of the errors."""

import pathlib
import re

from pipeline.cli import command_line as cli
from pipeline.cli import reference
from schema.errors import TandemError

PAGE = pathlib.Path(__file__).resolve().parents[3] / "docs/VERBS.md"
INTERRUPTED = 128 + 2  # a shell's code for a process ended by SIGINT


def find_exit_codes(error):
    return {error.exit_code}.union(*map(find_exit_codes, error.__subclasses__()))


def test_the_committed_page_is_current(monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")  # independent of the caller's terminal
    assert PAGE.read_text(encoding="utf-8") == reference.render()


def test_exit_codes_are_those_of_the_errors():
    documented = {int(code) for code in re.findall(r"^\| (\d+) \|", PAGE.read_text("utf-8"), re.M)}
    raised = find_exit_codes(TandemError)
    assert documented == {0, INTERRUPTED, cli.READER_GONE} | raised


def test_every_verb_has_a_section_and_an_example():
    text = PAGE.read_text(encoding="utf-8")
    sections = re.findall(r"^## `tandem (.+)`$", text, re.M)
    assert {"run", "serve", "schema diff"} <= set(sections)
    examples = text.partition("## Exit codes")[0]
    missing = [verb for verb in sections if f"    tandem {verb}" not in examples]
    assert missing == ["config"]
