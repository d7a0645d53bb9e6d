"""`tandem compile`: the same DAG as a Kubeflow Pipelines v2 document."""

import argparse
import pathlib
import warnings

from pipeline import verb_arguments

SUMMARY = "compile the pipeline for Kubeflow Pipelines v2"


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the verb."""
    verb_arguments.add_config(parser)
    parser.add_argument("--image", required=True, help="container image with Tandem installed")
    parser.add_argument(
        "--data",
        default="/data",
        help="folder or URI of the data, as the cluster sees it (default: /data)",
    )
    parser.add_argument(
        "--root",
        default="/tandem",
        help="folder or URI of the outputs, as the cluster sees it (default: /tandem)",
    )
    parser.add_argument("--out", type=pathlib.Path, required=True, help="the YAML to write")


def run(args: argparse.Namespace) -> int:
    """Writes the document and says where."""
    # TFX imports a client of Google's cloud to read one name from it, and the client complains.
    warnings.filterwarnings("ignore", "Support for google-cloud-storage", FutureWarning)
    from pipeline import config, kubeflow

    loaded = config.load(args.config, args.overrides)
    tasks = kubeflow.compile_to(args.out, loaded, args.image, args.data, args.root)
    print(f"{args.out}: {tasks} tasks")
    return 0
