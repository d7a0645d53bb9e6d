"""The emulator, and what its tasks note."""

import pytest

from tests.kubeflow.backend import Backend


@pytest.fixture
def backend(tmp_path):
    return Backend(str(tmp_path / "root"), tmp_path / "pods", at_once=1)


@pytest.fixture
def noted(tmp_path):
    """What the tasks have noted, in order; it begins anew each time it is asked."""

    def lines():
        result = notes.read_text().split()
        notes.write_text("")
        return result

    notes = tmp_path / "notes"
    notes.touch()
    lines.file = str(notes)
    return lines
