import numpy as np

from serving.index.base import fill_variable


def test_every_row_is_filled_once_however_many_there_are():
    """150,001 rows take three parts; row i is to hold i and -i."""
    asked = []

    def part(begin, end):
        asked.append((begin, end))
        return np.stack([np.arange(begin, end), -np.arange(begin, end)], axis=1)

    found = fill_variable((150_001, 2), "float32", part, "planted").numpy()
    assert found.dtype == np.float32
    assert (found[:, 0] == np.arange(150_001)).all()
    assert (found[:, 1] == -np.arange(150_001)).all()
    assert [begin for begin, _ in asked] == [0, *(end for _, end in asked[:-1])]
    assert len(asked) == 3


def test_bytes_keep_their_signs():
    found = fill_variable(
        (2, 2), "int8", lambda begin, end: np.array([[-127.0, 3], [0, 127]]), "bytes"
    )
    assert found.numpy().tolist() == [[-127, 3], [0, 127]]
