"""A result is not measured again for the same key, but for another one."""

import pytest

from benchmarks.quality import cache


def test_made_once_per_key(tmp_path):
    made = []

    def make():
        made.append(len(made))
        return {"value": len(made)}

    path = tmp_path / "folder" / "kept.json"
    assert cache.load_or_make(path, {"seed": 1, "pair": (1, 2)}, make) == {"value": 1}
    assert cache.load_or_make(path, {"seed": 1, "pair": (1, 2)}, make) == {"value": 1}
    assert cache.load_or_make(path, {"seed": 2, "pair": (1, 2)}, make) == {"value": 2}
    assert made == [0, 1]


def test_a_failure_is_not_stored(tmp_path):
    def fail():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        cache.load_or_make(tmp_path / "kept.json", 1, fail)
    assert not list(tmp_path.iterdir())
