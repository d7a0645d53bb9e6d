"""Damaged matrices."""

import struct

import numpy as np
from scipy import sparse

from components.ingest.read.pairs.matrix import MatrixFile, read_matrix
from schema.sources import InteractionsSource


def test_damaged_bytes_of_an_array_are_one_rejected_record(tmp_path):
    path = tmp_path / "log.npz"
    sparse.save_npz(path, sparse.csr_matrix(np.eye(3)))
    content = bytearray(path.read_bytes())
    name_length, extra_length = struct.unpack_from("<HH", content, 26)  # of the first array
    content[30 + name_length + extra_length] = 0b111  # a block of the reserved type 3 (RFC 1951)
    path.write_bytes(content)
    source = InteractionsSource(path="log.npz", format="npz", split="train")
    [(lines, records)] = read_matrix(MatrixFile(str(path)), source, ["user_id", "item_id"])
    [letter] = lines.rejected
    assert (letter.reason, letter.line) == ("damaged_file", 1)
    assert not len(records.index)
