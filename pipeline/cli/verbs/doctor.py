"""`tandem doctor`: checks the environment and advises how to fix what fails."""

import argparse
import json
import pathlib
from typing import TYPE_CHECKING

from pipeline.cli import arguments

if TYPE_CHECKING:
    from pipeline.commands.doctor import EnvironmentCheck

SUMMARY = "check the environment: versions, Keras 2, ScaNN, tensorflow-text, accelerators, disk"


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's arguments."""
    arguments.add_json(parser, "print the results as JSON alone")


def run(args: argparse.Namespace) -> int:
    """Prints one line per check, with advice for those that fail; returns 0 if none fails, else
    2.
    """
    from pipeline.commands import doctor

    findings = []
    for finding in doctor.examine(pathlib.Path.cwd()):
        findings.append(finding)
        if not args.json:
            print(_format_line(finding), flush=True)
    failed = [finding.name for finding in findings if finding.status == "FAIL"]
    if args.json:
        checks = [_build_row(finding) for finding in findings]
        print(json.dumps({"ok": not failed, "checks": checks}, indent=2))
    else:
        print(f"does not work: {', '.join(failed)}" if failed else "everything works")
    return 2 if failed else 0


def _build_row(finding: "EnvironmentCheck") -> dict[str, str]:
    row = finding._asdict()
    row["found"] = row.pop("message")
    return row


def _format_line(finding: "EnvironmentCheck") -> str:
    advice = f"\n      {finding.advice}" if finding.advice else ""
    return f"{finding.status:<5} {finding.name}: {finding.message}{advice}"
