"""Freed memory goes back: what the process holds is read from the kernel."""

import pathlib
import sys

import pytest

from serving.server.model_store import release_free_memory


def held_mb():
    status = pathlib.Path("/proc/self/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


@pytest.mark.skipif(sys.platform != "linux", reason="other kernels tell it elsewhere")
def test_freed_memory_between_live_blocks_is_returned():
    """100 MB in blocks of 100 kB, too small for the allocator to map one by one; each twentieth
    stays, so that the heap cannot shrink from its end.
    """
    blocks = [bytearray(b"x" * 100_000) for _ in range(1000)]
    retained = blocks[::20]
    del blocks
    before = held_mb()
    release_free_memory()
    assert before - held_mb() > 60
    assert all(block == b"x" * 100_000 for block in retained)
