"""`tandem schema infer` and `tandem schema diff`: the schemas that data must match."""

import argparse
import json
from typing import Any

from pipeline.cli import arguments

SUMMARY = "infer schemas from data, or show what new data would change"


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the verbs `infer` and `diff` with their arguments."""
    verbs = parser.add_subparsers(dest="schema_verb", metavar="infer|diff", required=True)
    text = "infer schemas of both tables from data, as a start for curated ones"
    infer = verbs.add_parser("infer", help=text, description=text)
    arguments.add_config(infer)
    arguments.add_data(infer)
    arguments.add_location(
        infer, "--out", required=True, metavar="DIR", help="folder to write into"
    )
    text = "show what new data would change; exit code 3 if the data gate would reject them"
    diff = verbs.add_parser("diff", help=text, description=text)
    arguments.add_config(diff)
    arguments.add_root(diff)
    arguments.add_location(
        diff, "--data", required=True, metavar="NEW", help="folder of the new data"
    )
    arguments.add_json(diff)


def run(args: argparse.Namespace) -> int:
    """Prints where the schemas are, or the differences."""
    return _run_infer(args) if args.schema_verb == "infer" else _run_diff(args)


def _run_infer(args: argparse.Namespace) -> int:
    from pipeline.commands.schema import infer_schemas

    for path in infer_schemas(args.config, args.data, args.out, args.overrides):
        print(path)
    return 0


def _run_diff(args: argparse.Namespace) -> int:
    from pipeline.commands.schema import diff_data
    from schema.errors import DataRefused

    differences = diff_data(args.root, args.config, args.data, args.overrides)
    print(
        json.dumps(differences, indent=1, ensure_ascii=False)
        if args.json
        else _format_text(differences)
    )
    return 0 if differences["fits"] else DataRefused.exit_code


def _format_text(differences: dict[str, Any]) -> str:
    lines = [f"{_format_feature(change)}: {change['change']}" for change in differences["changes"]]
    lines = lines or ["nothing has changed"]
    lines.append("")
    for finding in differences["refused"]:
        shown = f"; e.g. {'; '.join(finding['examples'])}" if finding["examples"] else ""
        lines.append(
            f"refused: {_format_feature(finding)}: {finding['rule']}: "
            f"expected {finding['expected']}, received {finding['seen']}{shown}"
        )
    verdict = (
        "these data fit the schema" if differences["fits"] else "the gate would refuse these data"
    )
    return "\n".join([*lines, f"{verdict}; their statistics: {differences['statistics']}"])


def _format_feature(change: dict[str, Any]) -> str:
    return f"{change['table']}/{change['split']}: {change['feature']}"
