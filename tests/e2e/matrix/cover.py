"""Cases in which each level of a factor meets each level of every other: a greedy pairwise cover.

Greedy, as AETG (Cohen et al. 1997) is: the next case begins with a pair that no case has yet, and
takes for each further factor the level that adds most new pairs.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence

Case = dict[str, str]
Pair = tuple[tuple[str, str], tuple[str, str]]


def pairs_of(case: Mapping[str, str]) -> set[Pair]:
    """All pairs of (factor, level) in a case, factors in order of their names."""
    return set(itertools.combinations(sorted(case.items()), 2))


def pairwise(factors: Mapping[str, Sequence[str]], possible: Callable[[Case], bool]) -> list[Case]:
    """Cases that have every pair which some case may have; `possible` judges a part of a case too,
    and must not refuse a part of what it takes as a whole.
    """
    left = _all_pairs(factors, possible)
    cases = []
    while left:
        case = _completed(dict(left[0]), factors, possible, left)
        covered = pairs_of(case)
        left = [pair for pair in left if pair not in covered]
        cases.append(case)
    return cases


def _all_pairs(
    factors: Mapping[str, Sequence[str]], possible: Callable[[Case], bool]
) -> list[Pair]:
    return [
        ((one, a), (other, b))
        for one, other in itertools.combinations(sorted(factors), 2)
        for a, b in itertools.product(factors[one], factors[other])
        if possible({one: a, other: b})
    ]


def _completed(
    case: Case,
    factors: Mapping[str, Sequence[str]],
    possible: Callable[[Case], bool],
    left: Sequence[Pair],
) -> Case:
    for factor, levels in factors.items():
        if factor in case:
            continue
        fitting = [level for level in levels if possible(case | {factor: level})]
        gains = {level: len(pairs_of(case | {factor: level}) & set(left)) for level in fitting}
        case = case | {factor: max(fitting, key=lambda level: gains[level])}
    return case
