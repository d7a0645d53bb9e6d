"""Freed memory is returned to the system; the kernel reports the process's resident memory."""

import pathlib
import sys

import pytest

from serving.server.model_store import release_free_memory


def resident_mb():
    status = pathlib.Path("/proc/self/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


@pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's /proc")
def test_freed_memory_between_live_blocks_is_returned():
    """100 MB in blocks of 100 kB, too small for the allocator to map one by one; every twentieth
    is kept, so that the heap cannot shrink from its end.
    """
    blocks = [bytearray(b"x" * 100_000) for _ in range(1000)]
    retained = blocks[::20]
    del blocks
    before = resident_mb()
    release_free_memory()
    assert before - resident_mb() > 60
    assert all(block == b"x" * 100_000 for block in retained)
