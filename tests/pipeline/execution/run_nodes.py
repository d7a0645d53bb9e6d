"""python -m tests.pipeline.execution.run_nodes FOLDER ACTIONS: runs planted nodes."""

import json
import pathlib
import sys

from pipeline.execution import node_process
from tests.pipeline.execution import nodes

if __name__ == "__main__":
    node_process.start_server()
    nodes.run(pathlib.Path(sys.argv[1]), json.loads(sys.argv[2]))
