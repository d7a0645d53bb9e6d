"""The greatest entries of each row of a sparse matrix."""

import numpy as np
from scipy import sparse


def select_strongest(rows: sparse.csr_matrix, most: int) -> sparse.csr_matrix:
    """[m, n] -> [m, n] with at most the `most` greatest positive entries of each row.

    The lower column wins ties. Entries of a row are ordered by column.
    """
    rows.sort_indices()
    row = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    order = np.lexsort((-rows.data, row))
    rank = np.arange(len(order)) - rows.indptr[row]
    chosen = np.sort(order[(rank < most) & (rows.data[order] > 0)])
    selected = (rows.data[chosen], (row[chosen], rows.indices[chosen]))
    return sparse.csr_matrix(selected, shape=rows.shape)
