"""`tandem recipes`: configurations for published data sets."""

import argparse
import json

from pipeline.cli import arguments

SUMMARY = "list configurations for published data sets, or print one"


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's arguments."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="print the TOML of this recipe")
    arguments.add_json(parser, "print JSON alone: name, title, data, terms and path of each")


def run(args: argparse.Namespace) -> int:
    """Prints the recipes by name, or the TOML of one."""
    from pipeline.commands.recipes import find_recipe, list_recipes

    recipes = [find_recipe(args.name)] if args.name else list_recipes()
    if args.json:
        rows = [recipe._asdict() | {"path": str(recipe.path)} for recipe in recipes]
        print(json.dumps({"recipes": rows}, indent=2))
    elif args.name:
        print(recipes[0].path.read_text(encoding="utf-8"), end="")
    else:
        width = max(len(recipe.name) for recipe in recipes)
        for recipe in recipes:
            print(f"{recipe.name:<{width}}  {recipe.title}")
        print("next: tandem recipes NAME > NAME.toml; its comments tell where to get the data")
    return 0
