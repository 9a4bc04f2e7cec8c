"""Scores, intervals and comparisons. Every agent meets the same episodes, so everything here is paired by episode.

Intervals are 95 % percentile intervals of a stratified bootstrap: episodes are resampled with replacement inside
each region, training runs (where an agent has several) inside each region as well. The draws come from the
project's counter-based hash, so the same data give the same interval under every NumPy release.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, combinations
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from edgebench.errors import EdgeBenchError
from edgebench.sim.counter import uniforms

Floats = NDArray[np.float64]
EpisodeId = tuple[int, int]
"""Window and scenario seed: an episode inside its region."""

RESAMPLES: Final = 10_000
PAIRED_RESAMPLES: Final = 2_000
"""Where every resample takes all pairs of episodes."""
_AT_ONCE: Final = 2**20
"""Numbers in memory while pairs of episodes are resampled."""
_TOGETHER: Final = 512
"""Pairs of agents that are resampled together."""
LEVEL: Final = 0.95


class Scale(Protocol):
    """The two references a metric is measured against: 0 is the random agent, 1 is the bound."""

    @property
    def random(self) -> float:
        """Mean metric of the random agent over the same episodes."""

    @property
    def bound(self) -> float:
        """Mean metric no agent can pass."""


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Scores:
    """Normalised scores of one agent.

    Attributes:
        episodes: Per region the (window, seed) of each episode, in rising order.
        values: Per region an array (training runs, episodes); an agent that was not trained has one run.
    """

    episodes: Mapping[str, tuple[EpisodeId, ...]]
    values: Mapping[str, Floats]

    def __post_init__(self) -> None:
        """Refuse what cannot be averaged."""
        if not self.values or set(self.values) != set(self.episodes):
            raise EdgeBenchError("scores and episodes are of different regions, or of none")
        for region, values in self.values.items():
            ids = self.episodes[region]
            if values.ndim != 2 or values.size == 0 or values.shape[1] != len(ids):
                raise EdgeBenchError("scores must be (training runs, episodes), at least one of each", where=region)
            if list(ids) != sorted(set(ids)):
                raise EdgeBenchError("episodes must be in rising order, each once", where=region)
            if not np.isfinite(values).all():
                raise EdgeBenchError("a score is not a finite number", where=region)

    @property
    def regions(self) -> list[str]:
        """Names of the regions, sorted."""
        return sorted(self.values)


@dataclass(frozen=True)
class Difference:
    """First agent minus second, over the same episodes: the total's and each region's difference."""

    total: Estimate
    regions: dict[str, Estimate]


def normalise(metric: Floats, scale: Scale) -> Floats:
    """Per-episode score (metric − random) / (bound − random): 0 is the random agent, 1 the bound, not clipped.

    Raises:
        EdgeBenchError: The references are not finite or the bound is not above the random agent.
    """
    width = scale.bound - scale.random
    if not (math.isfinite(width) and width > 0.0):
        raise EdgeBenchError(f"the bound {scale.bound} is not above the random agent's {scale.random}")
    return np.asarray((metric - scale.random) / width, np.float64)


def iqm(values: Floats) -> Floats:
    """Interquartile mean along the last axis: a quarter of the values, rounded down, is cut at each end."""
    ordered = np.sort(values, axis=-1)
    cut = values.shape[-1] // 4
    return np.asarray(ordered[..., cut : values.shape[-1] - cut].mean(axis=-1), np.float64)


def region_score(scores: Scores, region: str, *, seed: int = 0) -> Estimate:
    """Mean score over the region's episodes and training runs."""
    return _interval(float(scores.values[region].mean()), _resampled(scores, region, seed).mean(axis=-1))


def total_score(scores: Scores, *, seed: int = 0) -> Estimate:
    """IQM over regions × training runs of the mean over episodes."""
    return _interval(_total(scores), _resampled_total(scores, seed))


def worst_region(scores: Scores) -> tuple[str, float]:
    """The region with the lowest mean score (the first by name of equals), and that score."""
    return min(((name, float(scores.values[name].mean())) for name in scores.regions), key=lambda pair: pair[1])


def worst_share(scores: Scores, share: float = 0.05) -> float:
    """Mean of the worst `share` of all episodes of all regions and runs, at least one."""
    ordered = np.sort(np.concatenate([scores.values[name].ravel() for name in scores.regions]))
    return float(ordered[: math.ceil(share * ordered.size)].mean())


def paired_difference(first: Scores, second: Scores, *, seed: int = 0) -> Difference:
    """First minus second: both agents are resampled on the same episodes.

    Raises:
        EdgeBenchError: They did not play the same episodes.
    """
    _check_paired(first, second)
    return _difference(first.regions, _resampled_scores(first, seed), _resampled_scores(second, seed))


def paired_differences(agents: Mapping[str, Scores], *, seed: int = 0) -> dict[tuple[str, str], Difference]:
    """`paired_difference` of every two agents, the first by name minus the second; each is resampled but once.

    Raises:
        EdgeBenchError: Two did not play the same episodes.
    """
    names = _paired_names(agents)
    drawn = {name: _resampled_scores(agents[name], seed) for name in names}
    return {
        (first, second): _difference(agents[first].regions, drawn[first], drawn[second])
        for first, second in combinations(names, 2)
    }


class _Resampled(NamedTuple):
    """The total score, then that of each region: as it is, and resampled."""

    values: Floats  # (1 + regions,)
    draws: Floats  # (1 + regions, resamples)


def _resampled_scores(scores: Scores, seed: int) -> _Resampled:
    runs = [_resampled(scores, name, seed) for name in scores.regions]
    draws = np.stack([iqm(np.concatenate(runs, axis=-1)), *(run.mean(axis=-1) for run in runs)])
    return _Resampled(np.array([_total(scores), *(scores.values[name].mean() for name in scores.regions)]), draws)


def _difference(regions: Sequence[str], one: _Resampled, other: _Resampled) -> Difference:
    low, high = np.quantile(one.draws - other.draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=-1)
    ends = zip(one.values - other.values, low, high, strict=True)
    total, *each = (Estimate(float(value), float(least), float(most)) for value, least, most in ends)
    return Difference(total, dict(zip(regions, each, strict=True)))


def performance_profile(scores: Scores, thresholds: Floats) -> Floats:
    """Share of episodes whose score is above each threshold, every region counting alike.

    Args:
        scores: Of one agent.
        thresholds: Scores, (T,), in any order.

    Returns:
        Shares in [0, 1], (T,): the mean over regions of the share of the region's episodes and training runs.
    """
    shares = [(scores.values[name].reshape(-1, 1) > thresholds).mean(axis=0) for name in scores.regions]
    return np.asarray(np.mean(shares, axis=0), np.float64)


def probability_of_improvement(first: Scores, second: Scores, *, seed: int = 0) -> Estimate:
    """How likely an episode of the first is better than one of the second, a tie counting half, regions alike.

    The mean over regions of the Mann-Whitney statistic over all pairs of their episodes and training runs (Agarwal,
    Schwarzer, Castro, Courville and Bellemare, "Deep reinforcement learning at the edge of the statistical precipice",
    NeurIPS 2021); its interval is that of the stratified bootstrap.

    Raises:
        EdgeBenchError: They did not play the same episodes.
    """
    _check_paired(first, second)
    return next(_improvements([(first, second)], seed))


def probabilities_of_improvement(agents: Mapping[str, Scores], *, seed: int = 0) -> dict[tuple[str, str], Estimate]:
    """`probability_of_improvement` of every two agents, the first by name over the second.

    Raises:
        EdgeBenchError: Two did not play the same episodes.
    """
    pairs = list(combinations(_paired_names(agents), 2))
    parts = [pairs[start : start + _TOGETHER] for start in range(0, len(pairs), _TOGETHER)]
    found = (_improvements([(agents[one], agents[other]) for one, other in part], seed) for part in parts)
    return dict(zip(pairs, chain.from_iterable(found), strict=True))


def _improvements(pairs: Sequence[tuple[Scores, Scores]], seed: int) -> Iterator[Estimate]:
    """Of the first of each pair over the second, all on the same resamples of the same episodes."""
    values, draws = np.zeros(len(pairs)), np.zeros((len(pairs), PAIRED_RESAMPLES))
    regions = pairs[0][0].regions
    for name in regions:
        leads = np.stack([_leads(one.values[name], other.values[name]) for one, other in pairs])
        sizes = np.array([one.values[name].size * other.values[name].size for one, other in pairs])
        values += leads.sum(axis=(1, 2)) / sizes
        draws += _resampled_sums(leads, name, seed) / sizes[:, None]
    for value, drawn in zip(values / len(regions), draws / len(regions), strict=True):
        yield _interval(0.5 + float(value) / 2, 0.5 + drawn / 2)


def _leads(one: Floats, other: Floats) -> Floats:
    """For each two episodes, (episodes, episodes), in how many pairs of runs `one` wins less those in which it loses.

    Whole numbers, whose sums are exact in any order.
    """
    return np.asarray(np.sign(one[:, None, :, None] - other[None, :, None, :]).sum(axis=(0, 1)), np.float64)


def _resampled_sums(tables: Floats, region: str, seed: int) -> Floats:
    """Sums of tables (tables, episodes, episodes) whose rows and columns are drawn alike, (tables, resamples)."""
    times = _times(region, tables.shape[1], seed)
    flat = tables.reshape(len(tables), -1)
    sums = [
        flat @ np.einsum("re,rf->ref", part, part).reshape(len(part), -1).T
        for part in np.array_split(times, 1 + times.size * tables.shape[1] // _AT_ONCE)
    ]
    return np.concatenate(sums, axis=1)


@lru_cache(maxsize=16)
def _times(region: str, episodes: int, seed: int) -> Floats:
    """How often each episode is drawn in each of the paired resamples, (resamples, episodes)."""
    which = _draws(f"episodes of {region}", episodes, seed)[:PAIRED_RESAMPLES]
    return np.stack([np.bincount(drawn, minlength=episodes) for drawn in which]).astype(np.float64)


def rank_intervals(agents: Mapping[str, Scores], *, seed: int = 0) -> dict[str, tuple[int, int]]:
    """95 % interval of each agent's place by total score among all, 1 the best, over the same resamples for all.

    Raises:
        EdgeBenchError: Two agents did not play the same episodes.
    """
    return joint_rank_intervals({name: [values] for name, values in agents.items()}, seed=seed)


def to_rliable(agents: Mapping[str, Scores]) -> dict[str, Floats]:
    """Scores as the package rliable takes them: by agent an array (training runs, regions) of means over episodes.

    Raises:
        EdgeBenchError: The agents did not play the same regions.
    """
    played = {name: scores.regions for name, scores in agents.items()}
    if len({tuple(regions) for regions in played.values()}) > 1:
        raise EdgeBenchError(f"the agents did not play the same regions: {played}")
    return {
        name: np.stack([scores.values[region].mean(axis=-1) for region in scores.regions], axis=-1)
        for name, scores in agents.items()
    }


def sign_flip_test(first: Scores, second: Scores, *, seed: int = 0) -> float:
    """Two-sided p-value of a paired permutation test: under no difference, whose score is whose is a coin's toss.

    An episode's score is its mean over training runs; the statistic is the difference of the IQM over regions. All
    exchanges are counted where there are at most 10,000, else 10,000 random ones are drawn, the observed one added
    (Phipson and Smyth, "Permutation P-values should never be zero", 2010).

    Raises:
        EdgeBenchError: They did not play the same episodes.
    """
    _check_paired(first, second)
    sizes = [len(first.episodes[name]) for name in first.regions]
    one, other = (np.concatenate([s.values[n].mean(axis=0) for n in s.regions]) for s in (first, second))
    flips = _flips(one.size, seed)
    draws = _by_region(np.where(flips, other, one), sizes) - _by_region(np.where(flips, one, other), sizes)
    observed = abs(float(_by_region(one, sizes) - _by_region(other, sizes)))
    extreme = int(np.count_nonzero(np.abs(draws) >= observed - 1e-12))
    exact = 2**one.size <= RESAMPLES
    return extreme / len(draws) if exact else (extreme + 1) / (len(draws) + 1)


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values adjusted for their number (Holm, 1979), in the order given."""
    adjusted, highest = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=lambda index: p_values[index])):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = highest
    return adjusted


def shared_ranks(agents: Mapping[str, Scores], *, seed: int = 0) -> dict[str, int]:
    """Rank of each agent, best first; the rule is that of `joint_ranks`.

    Raises:
        EdgeBenchError: Two agents did not play the same episodes.
    """
    return joint_ranks({name: [values] for name, values in agents.items()}, seed=seed)


def joint_total(parts: Sequence[Scores], *, seed: int = 0) -> Estimate:
    """Mean over several boards of the total score on each."""
    return _interval(_joint(parts), _resampled_joint(parts, seed))


def joint_ranks(agents: Mapping[str, Sequence[Scores]], *, seed: int = 0) -> dict[str, int]:
    """Rank of each agent by the mean of its total scores on several boards, best first.

    The rule: sort by that mean, downwards, by name where equal. The first agent leads a group with rank 1. Going
    down, an agent whose paired interval against the leader of the current group contains 0 shares the leader's rank;
    any other leads a new group, ranked by its place in the list (1, 1, 3, …). Comparison is with the group's leader
    alone, so the order in which agents are given does not matter.

    Args:
        agents: By name the scores on each board, the boards in the same order.
        seed: Of the resampling.

    Raises:
        EdgeBenchError: Two agents did not play the same episodes.
    """
    order = sorted(agents, key=lambda name: (-_joint(agents[name]), name))
    ranks: dict[str, int] = {}
    leader = ""
    for place, name in enumerate(order, start=1):
        if leader and _tied(agents[leader], agents[name], seed):
            ranks[name] = ranks[leader]
        else:
            ranks[name], leader = place, name
    return ranks


def joint_rank_intervals(agents: Mapping[str, Sequence[Scores]], *, seed: int = 0) -> dict[str, tuple[int, int]]:
    """`rank_intervals` of agents by the mean of their total scores on several boards, as `joint_ranks` ranks them."""
    names = sorted(agents)
    for parts in zip(*(agents[name] for name in names), strict=True):
        _paired_names(dict(zip(names, parts, strict=True)))
    totals = np.array([_resampled_joint(agents[name], seed) for name in names])
    return {name: _places(totals, total) for name, total in zip(names, totals, strict=True)}


def _places(totals: Floats, total: Floats) -> tuple[int, int]:
    """Interval of the place of one agent's draws (resamples,) among those of all, (agents, resamples)."""
    places = 1 + (totals > total).sum(axis=0)
    low, high = np.quantile(places, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], method="nearest")
    return int(low), int(high)


def _tied(first: Sequence[Scores], second: Sequence[Scores], seed: int) -> bool:
    for one, other in zip(first, second, strict=True):
        _check_paired(one, other)
    draws = _resampled_joint(first, seed) - _resampled_joint(second, seed)
    difference = _interval(_joint(first) - _joint(second), draws)
    return difference.low <= 0.0 <= difference.high


def _joint(parts: Sequence[Scores]) -> float:
    return math.fsum(_total(part) for part in parts) / len(parts)


def _resampled_joint(parts: Sequence[Scores], seed: int) -> Floats:
    return np.asarray(np.mean([_resampled_total(part, seed) for part in parts], axis=0), np.float64)


def _total(scores: Scores) -> float:
    return float(iqm(np.concatenate([scores.values[name].mean(axis=-1) for name in scores.regions])))


def _resampled_total(scores: Scores, seed: int) -> Floats:
    return iqm(np.concatenate([_resampled(scores, name, seed) for name in scores.regions], axis=-1))


def _resampled(scores: Scores, region: str, seed: int) -> Floats:
    """Mean score of each run drawn, (resamples, runs): runs and episodes drawn with replacement.

    The draws depend on the region's name and sizes alone: agents paired on a region share its episodes.
    """
    values = scores.values[region]
    runs, episodes = values.shape
    which = _draws(f"episodes of {region}", episodes, seed)
    means = values[:, which].mean(axis=-1).T
    if runs == 1:
        return np.asarray(means, np.float64)
    return np.asarray(np.take_along_axis(means, _draws(f"runs on {region}", runs, seed), axis=-1), np.float64)


@lru_cache(maxsize=16)
def _draws(purpose: str, count: int, seed: int) -> NDArray[np.int64]:
    """Which of `count` are drawn, (resamples, count); kept, as all agents of a board are resampled alike."""
    uniform = uniforms(seed, _stream(purpose), RESAMPLES * count)
    drawn = (uniform * count).astype(np.int64).reshape(RESAMPLES, count)
    drawn.setflags(write=False)
    return drawn


def _stream(purpose: str) -> int:
    return int.from_bytes(hashlib.sha256(purpose.encode()).digest()[:4], "little")


def _flips(count: int, seed: int) -> NDArray[np.bool_]:
    """Which pairs are exchanged, (draws, count): all ways where they are few, else random ones."""
    if 2**count <= RESAMPLES:
        return np.asarray(np.arange(2**count)[:, None] >> np.arange(count) & 1, np.bool_)
    return np.asarray(uniforms(seed, _stream("sign flips"), RESAMPLES * count) < 0.5).reshape(RESAMPLES, count)


def _by_region(episodes: Floats, sizes: Sequence[int]) -> Floats:
    """IQM over regions of the mean over episodes; the last axis holds all regions' episodes in turn."""
    parts = np.split(episodes, np.cumsum(sizes)[:-1], axis=-1)
    return iqm(np.stack([part.mean(axis=-1) for part in parts], axis=-1))


def _interval(value: float, draws: Floats) -> Estimate:
    low, high = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(value, float(low), float(high))


def _check_paired(first: Scores, second: Scores) -> None:
    if dict(first.episodes) != dict(second.episodes):
        missing = next(_unshared(first.episodes, second.episodes))
        raise EdgeBenchError("the two agents did not play the same episodes", where=missing)


def _paired_names(agents: Mapping[str, Scores]) -> list[str]:
    """The names, sorted, of agents that all played the same episodes."""
    names = sorted(agents)
    for name in names[1:]:
        _check_paired(agents[names[0]], agents[name])
    return names


def _unshared(first: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[str]:
    for region in sorted({*first, *second}):
        odd = sorted(set(first.get(region, ())) ^ set(second.get(region, ())))
        if odd:
            yield f"region {region}, window {odd[0][0]}, seed {odd[0][1]}"
