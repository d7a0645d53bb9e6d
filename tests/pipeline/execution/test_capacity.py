import os

import pytest

from pipeline.execution import capacity

GIB = 1 << 30


@pytest.mark.parametrize(
    ("cores", "available", "input_bytes", "expected"),
    [
        (1, 64 * GIB, 0, 1),
        (2, 64 * GIB, 0, 2),
        (16, 64 * GIB, 0, 3),
        (16, GIB, 0, 1),
        (16, 2 * GIB, 0, 2),
        # 100 MB of input: 1 GiB and 4 GB for each stage
        (16, 8 * GIB, 100_000_000, 1),
        (16, 12 * GIB, 100_000_000, 2),
    ],
)
def test_cores_and_memory_limit_the_stages(monkeypatch, cores, available, input_bytes, expected):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(cores)))
    monkeypatch.setattr(capacity, "read_available_bytes", lambda: available)
    monkeypatch.setattr(capacity, "has_gpu", lambda: False)
    assert capacity.count_parallel_stages(input_bytes) == expected


@pytest.mark.parametrize("reason", ["gpu", "workers"])
def test_a_gpu_and_a_cluster_run_stage_after_stage(monkeypatch, reason):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1})
    monkeypatch.setattr(capacity, "has_gpu", lambda: reason == "gpu")
    if reason == "workers":
        monkeypatch.setenv("TF_CONFIG", "{}")
    assert capacity.count_parallel_stages(0) == 1


def test_available_memory_is_less_than_all_memory():
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert 0 < capacity.read_available_bytes() <= total
