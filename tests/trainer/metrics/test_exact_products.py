"""Products are exact, in any order, with any BLAS kernel."""

import fractions
import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from trainer.metrics.top_k import compute_exact_products, round_to_grid

RAW = """
import hashlib, numpy as np
from trainer.metrics.top_k import compute_exact_products
rng = np.random.default_rng(3)
found = compute_exact_products(rng.normal(size=(70, 48)), rng.normal(size=(333, 48)))
print(hashlib.sha256(found.tobytes()).hexdigest())
"""
numbers = st.floats(-(2.0**50), 2.0**50, width=32, allow_subnormal=False)
tables = st.integers(1, 9).flatmap(
    lambda dim: st.tuples(
        *(arrays.arrays(np.float32, (rows, dim), elements=numbers) for rows in (3, 4))
    )
)


@given(tables)
def test_they_are_the_products_of_the_rounded_rows(pair_of_tables):
    queries, vectors = map(round_to_grid, pair_of_tables)
    expected = [
        [
            np.float32(float(sum(fractions.Fraction(a) * fractions.Fraction(b) for a, b in pair)))
            for pair in (list(zip(query, vector, strict=True)) for vector in vectors.tolist())
        ]
        for query in queries.tolist()
    ]
    np.testing.assert_array_equal(compute_exact_products(*pair_of_tables), expected)


@given(tables)
def test_rows_are_rounded_by_no_more_than_float32_would(pair_of_tables):
    for rows in pair_of_tables:
        allowed = np.abs(rows).max(axis=1, keepdims=True).astype(float) * 2.0**-23
        assert (np.abs(round_to_grid(rows) - rows) <= allowed).all()


def test_equal_rows_are_equally_near_at_every_position():
    rng = np.random.default_rng(0)
    one = rng.normal(size=(1, 64)).astype(np.float32)
    exact_products = compute_exact_products(
        rng.normal(size=(5, 64)), np.repeat(one, 40_003, axis=0)
    )
    assert (exact_products == exact_products[:, :1]).all()


@pytest.mark.parametrize("kernel", ["Prescott", "Sandybridge", "Haswell"])
def test_every_kernel_has_the_same_bits(kernel):
    rng = np.random.default_rng(3)
    queries, vectors = (
        round_to_grid(rng.normal(size=(70, 48))),
        round_to_grid(rng.normal(size=(333, 48))),
    )
    one_by_one = [[float((q * v).sum()) for v in vectors] for q in queries]
    expected = hashlib.sha256(np.array(one_by_one, np.float32).tobytes()).hexdigest()
    environment = os.environ | {"OPENBLAS_CORETYPE": kernel}
    completed = subprocess.run(
        [sys.executable, "-c", RAW], env=environment, capture_output=True, text=True, check=True
    )
    assert completed.stdout.strip() == expected
