import numpy as np

from serving.index.base import fill_variable


def test_every_row_is_filled_once():
    """150,001 rows are filled in three parts; row i must hold i and -i."""
    blocks = []

    def part(begin, end):
        blocks.append((begin, end))
        return np.stack([np.arange(begin, end), -np.arange(begin, end)], axis=1)

    variable = fill_variable((150_001, 2), "float32", part, "planted").numpy()
    assert variable.dtype == np.float32
    assert (variable[:, 0] == np.arange(150_001)).all()
    assert (variable[:, 1] == -np.arange(150_001)).all()
    assert [begin for begin, _ in blocks] == [0, *(end for _, end in blocks[:-1])]
    assert len(blocks) == 3


def test_int8_values_keep_their_sign():
    variable = fill_variable(
        (2, 2), "int8", lambda begin, end: np.array([[-127.0, 3], [0, 127]]), "bytes"
    )
    assert variable.numpy().tolist() == [[-127, 3], [0, 127]]
