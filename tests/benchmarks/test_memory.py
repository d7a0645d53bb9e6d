"""Peak memory of a stage in its own process."""

import subprocess
import sys
import time

import pytest

from benchmarks import memory

MB = 10**6
CHILD = f"import time; held = b'x' * {150 * MB}; time.sleep(3)"


def hold(megabytes: int) -> None:
    assert len(b"x" * (megabytes * MB)) == megabytes * MB


def test_memory_that_a_stage_has_freed_is_counted():
    base = memory.measure_peak(lambda: hold(1))
    assert memory.measure_peak(lambda: hold(200)) == pytest.approx(base + 200, abs=30)


def test_memory_of_child_processes_is_counted():
    def with_child() -> None:
        with subprocess.Popen([sys.executable, "-c", CHILD]):
            held = b"x" * (300 * MB)
            time.sleep(3)
            assert held

    base = memory.measure_peak(lambda: hold(1))
    assert memory.measure_peak(with_child) > 300 + 140 + 0.2 * base


def test_a_stage_that_fails_has_no_figure():
    with pytest.raises(ChildProcessError, match="expected exit status 0, received 256"):
        memory.measure_peak(lambda: hold("much"))  # pyright: ignore[reportArgumentType]


def test_a_table_has_a_line_for_each_stage():
    result = {"1000": {"Pusher": 627.4}, "1000000": {"Pusher": 1031.0}}
    assert memory.table(result).splitlines() == [
        "MB at most                             1,000   1,000,000",
        "Pusher                                   627       1,031",
    ]
