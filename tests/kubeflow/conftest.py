"""The emulator, and the notes that its tasks write."""

import pytest

from tests.kubeflow.backend import Backend


@pytest.fixture
def backend(tmp_path):
    return Backend(str(tmp_path / "root"), tmp_path / "pods", max_pods=1)


@pytest.fixture
def read_notes(tmp_path):
    """Returns the words that the tasks have written since the last call, in order."""

    def read():
        words = notes.read_text().split()
        notes.write_text("")
        return words

    notes = tmp_path / "notes"
    notes.touch()
    read.file = str(notes)
    return read
