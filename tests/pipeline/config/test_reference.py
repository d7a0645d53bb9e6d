"""The configuration page says what the types say, and what it shows works."""

import pathlib

from pipeline.config.config import load_config
from pipeline.config.reference import MINIMAL_CONFIG, render_reference


def lines_of_section(title: str) -> list[str]:
    page = render_reference()
    return page.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0].splitlines()


def test_a_key_with_type_limit_default_and_meaning():
    expected = (
        "| `temperature` | number, above 0 | `0.2` "
        "| Divides the dot products of the unit-length vectors. |"
    )
    assert expected in lines_of_section("`[retrieval]`")


def test_a_choice_names_its_values():
    (line,) = [ln for ln in lines_of_section("`[index]`") if ln.startswith("| `kind`")]
    assert line.split(" | ")[1:3] == ['one of `"auto"`, `"exact"`, `"scann"`, `"ivf"`', '`"auto"`']


def test_a_list_names_what_it_holds():
    (line,) = [ln for ln in lines_of_section("`[ranking]`") if ln.startswith("| `hidden_units`")]
    assert line.split(" | ")[1:3] == ["list of whole number, at least 1", "`[64, 32]`"]


def test_a_value_of_several_types_names_them():
    section = lines_of_section("`[tune.retrieval.<name>]`")
    (line,) = [line for line in section if line.startswith("| `values`")]
    assert line.split(" | ")[1] == "list of true or false or whole number or number or text"


def test_required_and_optional_keys_are_told_apart():
    section = lines_of_section("`[data.items]`")
    (path,) = [line for line in section if line.startswith("| `path`")]
    (title,) = [line for line in section if line.startswith("| `title`")]
    assert path.split(" | ")[2] == "*required*"
    assert title.split(" | ")[2] == "*none*"


def test_a_bar_in_a_default_does_not_end_its_cell():
    section = render_reference().split('### `kind = "set"`', 1)[1]
    (line,) = [ln for ln in section.splitlines() if ln.startswith("| `separator`")][:1]
    assert '`"\\|"`' in line


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
    rows = [ln for ln in render_reference().splitlines() if ln.startswith("| `")]
    assert len(rows) > 60
    assert [row for row in rows if row.endswith("|  |")] == []


def test_the_minimal_file_loads(tmp_path: pathlib.Path):
    file = tmp_path / "shop.toml"
    file.write_text(MINIMAL_CONFIG)
    loaded = load_config(file)
    assert loaded.name == "shop"
    assert loaded.data.items.title == "name"
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
