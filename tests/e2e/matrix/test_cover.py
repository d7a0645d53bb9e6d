"""A pairwise cover contains every possible pair in far fewer cases than all combinations."""

import itertools

from tests.e2e.matrix import cover

FACTORS = {"a": "123", "b": "xyz", "c": "pq", "d": "uvw"}


def accept_all(case):
    return True


def test_every_pair_of_levels_is_in_some_case():
    cases = cover.pairwise(FACTORS, accept_all)
    for one, other in itertools.combinations(FACTORS, 2):
        pairs = {(case[one], case[other]) for case in cases}
        assert pairs == set(itertools.product(FACTORS[one], FACTORS[other]))
    assert 9 <= len(cases) <= 14 < 3 * 3 * 2 * 3


def test_no_case_contains_an_impossible_pair():
    cases = cover.pairwise(FACTORS, lambda case: (case.get("a"), case.get("b")) != ("1", "x"))
    pairs = {(case["a"], case["b"]) for case in cases}
    assert pairs == set(itertools.product("123", "xyz")) - {("1", "x")}
