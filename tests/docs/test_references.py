"""What README and docs refer to exists: files, pages, headings, modules of commands."""

import re

import pytest

from tests.docs import documents

FOLDERS = "benchmarks|components|configs|deploy|docs|pipeline|schema|serving|tests|trainer"
FILE = re.compile(rf"(?<![\w/.<>-])((?:{FOLDERS})/[\w./-]*\w)")
NO_FILES = re.compile(r"serving/(recommender|\.pushes)|docs/index_frontier\.svg|pipeline/runid")
"""Paths below the root of a run, one that a command of the page writes, and a label of KFP's."""


@pytest.mark.parametrize("name", documents.NAMES)
def test_files_exist(name):
    result = set(FILE.findall(documents.read(name)))
    missing = {
        path for path in result if not NO_FILES.match(path) and not (documents.ROOT / path).exists()
    }
    assert missing == set()


@pytest.mark.parametrize("name", documents.NAMES)
def test_links_lead_to_pages_and_headings(name):
    folder = (documents.ROOT / name).parent
    prose = re.sub(r"`[^`]*`", "", documents.read(name))
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if "://" in target:
            continue
        page, _, anchor = target.partition("#")
        path = (folder / page) if page else documents.ROOT / name
        assert path.exists(), target
        if anchor:
            page_name = str(path.resolve().relative_to(documents.ROOT))
            assert anchor in documents.list_anchors(page_name), target


@pytest.mark.parametrize("name", documents.NAMES)
def test_modules_of_commands_exist(name):
    modules = re.findall(r"python -m (benchmarks\.\w+|pipeline\.[\w.]+)", documents.read(name))
    modules += re.findall(r"`(benchmarks\.\w+)`", documents.read(name))
    for module in modules:
        path = documents.ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), module


def test_figures_of_readme_are_those_of_the_benchmarks():
    table = documents.read("README.md").partition("## Measured")[2]
    rows = [row.split("|")[2:4] for row in re.findall(r"^\| [^-].*$", table, re.MULTILINE)]
    figures = {
        figure for row in rows for cell in row for figure in re.findall(r"[\d,]*\.?\d+", cell)
    }
    figures -= {"7"}  # days
    assert len(figures) >= 10
    benchmarks = documents.read("docs/BENCHMARKS.md")
    assert {figure for figure in figures if figure not in benchmarks} == set()
