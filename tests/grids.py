"""Which cases of a grid a sweep takes: so many that every two values meet, or all of them."""

import itertools
import os

EVERY_CASE = bool(os.environ.get("EDGEBENCH_SLOW_TESTS"))
SELDOM = "takes a minute or more: set EDGEBENCH_SLOW_TESTS=1"


def grid(*axes):
    """Cases of one value an axis in which any two values of two axes occur together; all cases in slow tests."""
    cases = list(itertools.product(*axes))
    return cases if EVERY_CASE else _pairwise(cases)


def _pairwise(cases):
    """Greedy: the first of those cases that bring most pairs that have not met."""
    missing = {pair for case in cases for pair in _pairs(case)}
    taken = []
    while missing:
        best = max(cases, key=lambda case: len(missing & _pairs(case)))
        missing -= _pairs(best)
        taken.append(best)
    return taken


def _pairs(case):
    return set(itertools.combinations(enumerate(case), 2))
