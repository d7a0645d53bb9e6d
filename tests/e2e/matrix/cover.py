"""Cases that combine each level of a factor with each level of every other: a pairwise cover.

Greedy, as AETG (Cohen et al. 1997): the next case starts with a pair that no case covers yet, and
for each other factor selects the level that adds the most new pairs.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence

Case = dict[str, str]
Pair = tuple[tuple[str, str], tuple[str, str]]


def pairs_of(case: Mapping[str, str]) -> set[Pair]:
    """All pairs of (factor, level) in a case, factors in order of their names."""
    return set(itertools.combinations(sorted(case.items()), 2))


def pairwise(factors: Mapping[str, Sequence[str]], possible: Callable[[Case], bool]) -> list[Case]:
    """Cases that together cover every possible pair. `possible` also receives partial cases, and
    must accept every part of a case that it accepts.
    """
    uncovered = _all_pairs(factors, possible)
    cases = []
    while uncovered:
        case = _complete_case(dict(uncovered[0]), factors, possible, uncovered)
        covered = pairs_of(case)
        uncovered = [pair for pair in uncovered if pair not in covered]
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


def _complete_case(
    case: Case,
    factors: Mapping[str, Sequence[str]],
    possible: Callable[[Case], bool],
    uncovered: Sequence[Pair],
) -> Case:
    for factor, levels in factors.items():
        if factor in case:
            continue
        candidates = [level for level in levels if possible(case | {factor: level})]
        gains = {
            level: len(pairs_of(case | {factor: level}) & set(uncovered)) for level in candidates
        }
        case = case | {factor: max(candidates, key=lambda level: gains[level])}
    return case
