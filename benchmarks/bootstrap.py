"""What 50,000 resamples of a board's total take, drawing included, beside SciPy's bootstrap of as many plain means.

Run: python benchmarks/bootstrap.py
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from common import machine
from scipy.stats import bootstrap

from edgebench.harness.statistics import RESAMPLES, Scores, total_score

SEEDS = range(50_000 // RESAMPLES)
REGIONS, EPISODES = ("s1", "s2", "s3", "s4"), 20


def scores(runs: int) -> Scores:
    """Of an agent with so many training runs on a standard board."""
    draws = np.random.default_rng(0)
    ids = tuple((window, seed) for window in range(EPISODES // 5) for seed in range(5))
    return Scores(dict.fromkeys(REGIONS, ids), {name: draws.random((runs, EPISODES)) for name in REGIONS})


def seconds(call: Callable[[], object]) -> float:
    """One call."""
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


def resample(agent: Scores) -> None:
    """50,000 resamples, none of them kept from another agent."""
    for seed in SEEDS:
        total_score(agent, seed=seed)


def means() -> object:
    """SciPy's, of a sample as large as all episodes of a board."""
    values = np.random.default_rng(0).random(EPISODES * len(REGIONS))
    return bootstrap((values,), np.mean, n_resamples=50_000, method="percentile", rng=np.random.default_rng(0))


def main() -> None:
    """Print seconds."""
    print(machine())
    print(f"SciPy, 50,000 means of {EPISODES * len(REGIONS)}: {seconds(means):.2f} s")
    for runs in (1, 5):
        agent = scores(runs)
        first = seconds(lambda agent=agent: resample(agent))
        again = seconds(lambda agent=agent: resample(agent))
        print(f"an agent of {runs} run(s), 50,000 resamples: {first:.2f} s; the next on the same board: {again:.2f} s")


if __name__ == "__main__":
    main()
