"""docs/ARCHITECTURE.md answers where things are, and shows every package."""

import re

import pytest

from tests.docs import documents

PAGE = "docs/ARCHITECTURE.md"
PACKAGES = ("schema", "trainer", "serving", "components", "pipeline")


def read_answers():
    """Question, file, name of each row of the first table."""
    return re.findall(r"^\| (where .*?) \| `([\w/.]+)` \| `(\w+)` \|$", documents.read(PAGE), re.M)


def test_there_are_ten_questions():
    assert len(read_answers()) == 10


@pytest.mark.parametrize(("question", "path", "name"), read_answers())
def test_the_file_defines_the_name(question, path, name):
    text = (documents.ROOT / path).read_text(encoding="utf-8")
    assert re.search(rf"^ *(?:async )?(?:def|class) {name}\b|^{name} = ", text, re.M), question


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_has_a_row(package):
    rows = documents.read(PAGE).partition("## Packages")[2].partition("\n## ")[0]
    shown = set(re.findall(r"`([\w/]+)/`", " ".join(re.findall(r"^\| (.*?) \|", rows, re.M))))
    folders = {
        path.name
        for path in (documents.ROOT / package).iterdir()
        if path.is_dir() and path.name != "__pycache__"
    }
    assert {f"{package}/{folder}" for folder in folders} <= shown
    assert {each for each in shown if each.startswith(package)} <= {
        package, *(f"{package}/{folder}" for folder in folders),
    }  # fmt: skip
