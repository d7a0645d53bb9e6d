"""python -m tests.pipeline.execution.run_nodes FOLDER ACTIONS: runs planted nodes."""

import json
import pathlib
import sys

from tests.pipeline.execution import nodes

if __name__ == "__main__":
    nodes.run(pathlib.Path(sys.argv[1]), json.loads(sys.argv[2]))
