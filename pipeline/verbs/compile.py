"""`tandem compile`: the same DAG as a Kubeflow Pipelines v2 document."""

import argparse

from pipeline import kubeflow_arguments, verb_arguments

SUMMARY = "compile the pipeline for Kubeflow Pipelines v2"


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the verb."""
    kubeflow_arguments.add(parser)
    verb_arguments.add_place(parser, "--out", required=True, help="the YAML to write")


def run(args: argparse.Namespace) -> int:
    """Writes the document and says where."""
    tasks = kubeflow_arguments.compile_to(args.out, args)
    print(f"{args.out}: {tasks} tasks")
    return 0
