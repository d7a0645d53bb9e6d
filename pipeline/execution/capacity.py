"""How many stages this machine can run at once."""

import os
import pathlib

_MOST = 3
"""More stages of the DAG are never independent of each other."""
_BYTES_PER_STAGE = 1 << 30
_BYTES_PER_INPUT_BYTE = 40
"""benchmarks.memory has 13 bytes per byte of JSON lines; a compressed log is a third of it."""
_MEMORY_LIMIT = pathlib.Path("/sys/fs/cgroup/memory.max")
_MEMORY_USED = pathlib.Path("/sys/fs/cgroup/memory.current")


def count_parallel_stages(input_bytes: int) -> int:
    """At least 1; as many as there are cores, and as fit into the available memory by an estimate
    from the size of the input files. With a GPU or several workers 1: a stage would take the whole
    GPU, and workers have to run their stages in the same order.
    """
    if has_gpu() or "TF_CONFIG" in os.environ:
        return 1
    needed = _BYTES_PER_STAGE + _BYTES_PER_INPUT_BYTE * input_bytes
    return max(1, min(_MOST, len(os.sched_getaffinity(0)), read_available_bytes() // needed))


def has_gpu() -> bool:
    """Whether the machine has a GPU of NVIDIA's, without loading their libraries."""
    return any(pathlib.Path("/dev").glob("nvidia[0-9]*"))


def read_available_bytes() -> int:
    """Memory that is available to this process's container, or on this machine."""
    lines = pathlib.Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
    available = next(int(x.split()[1]) * 1024 for x in lines if x.startswith("MemAvailable:"))
    if _MEMORY_LIMIT.exists() and (limit := _MEMORY_LIMIT.read_text().strip()) != "max":
        available = min(available, int(limit) - int(_MEMORY_USED.read_text()))
    return available
