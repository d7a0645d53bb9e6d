"""The configuration page agrees with the types, and its example is valid."""

import pathlib
import re

from pipeline.config.config import load_config
from pipeline.config.reference import MINIMAL_CONFIG, render_reference


def find_keys(title: str) -> dict[str, str]:
    """The section's description of each key, on one line."""
    section = render_reference().split(f"\n{title}\n", 1)[1].split("\n#", 1)[0]
    items = re.findall(r"^- `(\w+)` (.*?)(?=^- |\Z)", section, re.MULTILINE | re.DOTALL)
    return {key: " ".join(text.split()) for key, text in items}


def test_a_key_with_type_limit_default_and_meaning():
    assert find_keys("## `[retrieval]`")["temperature"] == (
        "(number, above 0; default `0.2`): Divides the dot products of the unit-length vectors, "
        "before training adapts it to the log."
    )


def test_a_choice_names_its_values():
    expected = '(one of `"auto"`, `"exact"`, `"scann"`, `"ivf"`; default `"auto"`): '
    assert find_keys("## `[index]`")["kind"].startswith(expected)


def test_a_list_describes_its_content():
    expected = "(list of whole number, at least 1; default `[64, 32]`): "
    assert find_keys("## `[ranking]`")["hidden_units"].startswith(expected)


def test_a_value_of_several_types_names_them():
    expected = "(list of true or false or whole number or number or text; "
    assert find_keys("## `[tune.retrieval.<name>]`")["values"].startswith(expected)


def test_required_and_optional_keys_are_distinguished():
    keys = find_keys("## `[data.items]`")
    assert keys["path"].startswith("(text; *required*): ")
    assert keys["title"].startswith("(text; optional): ")


def test_a_bar_is_not_escaped():
    assert 'default `"|"`' in find_keys('### `kind = "set"`')["separator"]


def test_lines_are_wrapped():
    assert max(map(len, render_reference().splitlines())) <= 100


def test_every_section_and_kind_is_there():
    page = render_reference()
    sections = [
        "data", "data.interactions", "data.items", "data.users", "features", "labels",
        "labels.positive", "labels.ranking.<name>", "split", "retrieval", "ranking", "index",
        "evaluation", "serving", "beam", "tune", "tune.retrieval.<name>",
    ]  # fmt: skip
    for section in sections:
        assert f"\n## `[{section}]`\n" in page
    for kind in ("category", "set", "text", "number", "timestamp", "vector"):
        assert f'\n### `kind = "{kind}"`\n' in page


def test_every_key_has_a_meaning():
    items = re.findall(r"^- `\w+` .*?(?=^- |^#|\Z)", render_reference(), re.MULTILINE | re.DOTALL)
    assert len(items) > 60
    assert [item for item in items if item.strip().endswith("):")] == []


def test_the_minimal_file_loads(tmp_path: pathlib.Path):
    file = tmp_path / "shop.toml"
    file.write_text(MINIMAL_CONFIG)
    loaded = load_config(file)
    assert loaded.name == "shop"
    assert loaded.data.item_tables[0].title == "name"
    assert sorted(loaded.features.items) == ["name", "tags"]


def test_the_overrides_that_the_page_shows_work(tmp_path: pathlib.Path):
    file = tmp_path / "shop.toml"
    file.write_text(MINIMAL_CONFIG)
    shown = {
        "name=shop-b": "--set name=shop-b",
        "retrieval.epochs=3": "--set retrieval.epochs=3",
        "ranking.hidden_units=[128, 64]": "--set ranking.hidden_units='[128, 64]'",
        'data.interactions.delimiter="\\t"': "--set data.interactions.delimiter='\"\\t\"'",
    }
    assert all(written in render_reference() for written in shown.values())
    loaded = load_config(file, list(shown))
    assert (loaded.name, loaded.retrieval.epochs) == ("shop-b", 3)
    assert loaded.ranking.hidden_units == [128, 64]
    assert loaded.data.interactions.delimiter == "\t"
