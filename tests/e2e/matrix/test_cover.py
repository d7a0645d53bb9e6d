"""A pairwise cover has every possible pair, and is far smaller than all combinations."""

import itertools

from tests.e2e.matrix import cover

FACTORS = {"a": "123", "b": "xyz", "c": "pq", "d": "uvw"}


def anything(case):
    return True


def test_every_pair_of_levels_is_in_some_case():
    cases = cover.pairwise(FACTORS, anything)
    for one, other in itertools.combinations(FACTORS, 2):
        result = {(case[one], case[other]) for case in cases}
        assert result == set(itertools.product(FACTORS[one], FACTORS[other]))
    assert 9 <= len(cases) <= 14 < 3 * 3 * 2 * 3


def test_what_is_not_possible_is_in_none():
    cases = cover.pairwise(FACTORS, lambda case: (case.get("a"), case.get("b")) != ("1", "x"))
    result = {(case["a"], case["b"]) for case in cases}
    assert result == set(itertools.product("123", "xyz")) - {("1", "x")}
