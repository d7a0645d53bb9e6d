"""`tandem compile`: the same DAG as a Kubeflow Pipelines v2 document."""

import argparse
import sys

from pipeline.cli import arguments, kubeflow_arguments

SUMMARY = "compile the pipeline for Kubeflow Pipelines v2"


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's arguments."""
    kubeflow_arguments.add_arguments(parser)
    arguments.add_location(parser, "--out", required=True, help="the YAML to write")


def run(args: argparse.Namespace) -> int:
    """Writes the document, prints its path, and warns on stderr of tasks without a memory limit."""
    compiled = kubeflow_arguments.compile_document(args.out, args)
    if compiled.warning:
        print(f"tandem: {compiled.warning}", file=sys.stderr)
    print(f"{args.out}: {len(compiled.tasks)} tasks")
    return 0
