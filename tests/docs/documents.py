"""The pages that people read: README.md and docs/*.md."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
NAMES = ["README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def read_as_one_line(name: str) -> str:
    """The text with every run of white space as one blank, so that line breaks do not matter."""
    return " ".join(read(name).split())


def list_anchors(name: str) -> set[str]:
    """Anchors of the headings, as GitHub makes them."""
    text = re.sub(r"^```.*?^```", "", read(name), flags=re.MULTILINE | re.DOTALL)
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title).lower().replace(" ", "-") for title in titles}
