"""The recipes: configurations for the published layouts of data sets, which Tandem includes."""

import pathlib
from typing import NamedTuple

import pipeline
from schema.errors import UsageError

FOLDER = pathlib.Path(pipeline.__file__).parent / "recipes"
"""Installed with the package; `configs/recipes` is a link to it."""


class Recipe(NamedTuple):
    """One configuration, with what the comments at its beginning say."""

    name: str
    title: str
    """What the data are."""
    data: str
    """Where to get them."""
    terms: str
    """Under which terms."""
    path: pathlib.Path


def list_recipes() -> list[Recipe]:
    """Returns all recipes by name."""
    return [_read_recipe(path) for path in sorted(FOLDER.glob("*.toml"))]


def find_recipe(name: str) -> Recipe:
    """Returns the recipe with this name; raises UsageError if there is none."""
    recipes = {recipe.name: recipe for recipe in list_recipes()}
    if name not in recipes:
        raise UsageError(f"expected one of {', '.join(recipes)}, received {name!r}; name one")
    return recipes[name]


def _read_recipe(path: pathlib.Path) -> Recipe:
    title, *lines = path.read_text(encoding="utf-8").splitlines()
    by_key = dict(line.removeprefix("# ").split(": ", 1) for line in lines if ": " in line)
    return Recipe(path.stem, title.removeprefix("# "), by_key["Data"], by_key["Terms"], path)
