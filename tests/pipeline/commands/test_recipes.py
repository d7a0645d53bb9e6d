"""`tandem recipes` lists what Tandem includes, and prints one as it is."""

import json

import pytest

from pipeline import cli
from pipeline.commands.recipes import FOLDER, find_recipe
from schema.errors import UsageError


def test_the_list_names_each_recipe_and_what_it_is_for(capsys):
    assert cli.main(["recipes"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(list(FOLDER.glob("*.toml"))) + 1
    (row,) = [line for line in lines if line.startswith("yelp ")]
    assert row.split(maxsplit=1)[1] == "Yelp Open Dataset: reviews of businesses"


def test_json_has_the_source_and_the_terms(capsys):
    assert cli.main(["recipes", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)["recipes"]}
    assert rows["retailrocket"]["terms"] == "CC BY-NC-SA 4.0"
    assert rows["hm"]["data"].startswith("https://www.kaggle.com/competitions/h-and-m")
    assert rows["yelp"]["path"] == str(FOLDER / "yelp.toml")


def test_a_recipe_is_printed_as_it_is(capsys):
    assert cli.main(["recipes", "yoochoose"]) == 0
    assert capsys.readouterr().out == (FOLDER / "yoochoose.toml").read_text(encoding="utf-8")


def test_an_unknown_name_gives_the_known_ones():
    with pytest.raises(UsageError, match=r"expected one of .*hm, .* received 'netflix'; name one"):
        find_recipe("netflix")
