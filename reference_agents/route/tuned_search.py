"""The cross-entropy search for the weights of `tuned`, and the compiled episodes it and the gate run.

Rubinstein, "The cross-entropy method for combinatorial and continuous optimization", 1999: draw weights from normal
distributions, keep the best, fit the distributions to them, repeat.

Command: edgebench tune --write
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from edgebench.constants import CANDIDATES
from edgebench.harness.rollout import fixed_episodes
from edgebench.region import Region
from edgebench.registry import SAMPLE_EDITION
from edgebench.registry import scenario as find_scenario
from edgebench.sim import counter
from edgebench.sim.compiled import compiled
from edgebench.tracks.route.continuation import Continuation
from edgebench.tracks.route.features import CANDIDATE, TASK, F
from edgebench.tracks.route.rules import make_rules
from edgebench.tracks.route.simulation import GO_ON, Simulation, play, unpack
from reference_agents.route.tuned import WEIGHTS, choose, read_weights

ROUNDS: Final = 10
DRAWS: Final = 80
"""Weights drawn a round; with `EPISODES` this makes 64,000 train episodes a region."""
ELITE: Final = 10
EPISODES: Final = 80
"""Train episodes each draw of a round is judged on, the same for all of them; other ones in the next round."""
FOLLOW: Final = 0.7
"""How far the distributions move towards those of the best draws."""
VAL_SEEDS: Final = 30
"""Scenario seeds under which the windows of `val` choose among the rounds."""
FIRST_SPREAD: Final = 0.6
LEAST_SPREAD: Final = 0.02
_FIRST_SEED: Final = 100
_STREAM: Final = 11

Floats = NDArray[np.float64]
Episodes = Iterable[tuple[int, int]]
WITHOUT: Final = {
    "network": ("propagation_s", "transmission_s"),
    "traps remembered": ("measured_extra_s",),
    "queues": ("queue_s",),
    "residency": ("loading_s",),
    "rest of the workflow": ("return_s",),
    "the user's weights": (),
    "what it did before": ("measured_extra_s", "queue_s", "loading_s"),
}
"""What a policy can be made blind to, and the candidate rows that are hidden for it."""


class TunedRuns:
    """Episodes of the weighted lookahead on one split of a region, compiled from reset to end.

    Args:
        region: The region.
        split: `train`, `val` or `test`.
        scenario: A registered scenario.
        without: A key of `WITHOUT`, or "" for the whole policy.
    """

    def __init__(self, region: Region, split: str, scenario: str, without: str = "") -> None:
        rules = make_rules(find_scenario(scenario).parameters())
        self._simulation = Simulation(region.topology(), region.task_arrays(split), rules)
        hidden = [CANDIDATE[name] for name in WITHOUT[without]] if without else []
        self._hidden = np.isin(np.arange(F), hidden)
        self._same_users = without == "the user's weights"
        self._values = self._task_values()
        if without == "rest of the workflow":
            self._values[:] = 0.0

    @property
    def windows(self) -> int:
        """Episodes' worth of tasks in the split."""
        return self._simulation.windows

    def utility(self, weights: Floats, episodes: Episodes) -> float:
        """Mean utility over episodes (window, scenario seed) with weights in the order of `tuned.WEIGHTS`."""
        played = [
            _play(
                self._simulation.address,
                *self._simulation.seen[:3],
                self._values,
                self._hidden,
                self._same_users,
                weights,
                window,
                seed,
            )
            for window, seed in episodes
        ]
        return float(np.mean(played))

    def _task_values(self) -> Floats:
        """Continuation values of every task, (T, S + 1, N)."""
        simulation = self._simulation
        continuation, tasks = Continuation(simulation.topology), simulation.tasks
        values = np.zeros((tasks.size, int(tasks["stages"].max()) + 1, simulation.topology.node.size))
        for row, task in enumerate(tasks):
            weights = (0.5, 0.5) if self._same_users else (task["quality_weight"], task["speed_weight"])
            values[row, : task["stages"] + 1] = continuation.of_task(task, *weights)
        return values


@compiled
def _play(
    address: int,
    candidates: NDArray[np.float32],
    entries: NDArray[np.float32],
    mask: NDArray[np.int8],
    values: Floats,
    hidden: NDArray[np.bool_],
    same_users: bool,
    weights: Floats,
    window: int,
    seed: int,
) -> float:
    topology, _, state, seen, _ = unpack(address)
    rest = np.zeros(CANDIDATES)
    begin, action = window, 0
    while True:
        play(address, begin, seed, action)  # called once and without literals: for each, all of it is compiled anew
        if seen.place[1] < 0:
            break
        row, stage = seen.place[0], seen.place[2]
        for slot in range(CANDIDATES):
            if mask[slot]:  # a table has nothing before its beginning, where -1 would point
                rest[slot] = values[row, stage + 1, topology.instance[seen.instances[slot]].node]
        for feature in range(hidden.size):
            if hidden[feature]:
                candidates[feature, :] = 0.0
        if same_users:
            entries[_QUALITY_WEIGHT], entries[_SPEED_WEIGHT] = 0.5, 0.5
        begin, action = GO_ON, choose(candidates, entries, mask, rest, weights)
    total = 0.0
    for number in range(state.cursor[1]):
        total += state.progress[number].utility
    return float(total / state.cursor[1])


_QUALITY_WEIGHT, _SPEED_WEIGHT = TASK["quality_weight"], TASK["speed_weight"]


def search(
    region: Region, scenario: str, seed: int = 0, on_round: Callable[[int, int], None] = lambda done, rounds: None
) -> Floats:
    """Find weights for a region on its train tasks, in the order of `tuned.WEIGHTS`, rounded to 3 digits.

    Of the means of all rounds the one that does best on the val tasks is taken. The same region, scenario and seed give
    the same weights.
    """
    runs, means = TunedRuns(region, "train", scenario), []
    mean, spread = np.ones(len(WEIGHTS)), np.full(len(WEIGHTS), FIRST_SPREAD)
    mean[-1] = 0.1
    for number in range(ROUNDS):
        drawn = _draw(mean, spread, seed, number)
        judged = np.array([runs.utility(weights, _train_episodes(number, runs.windows)) for weights in drawn])
        best = drawn[np.argsort(-judged, kind="stable")[:ELITE]]
        mean = mean + FOLLOW * (best.mean(axis=0) - mean)
        spread = spread + FOLLOW * (best.std(axis=0) + LEAST_SPREAD - spread)
        means.append(np.round(mean, 3))
        on_round(number + 1, ROUNDS)
    return _best_on_val(means, TunedRuns(region, "val", scenario))


def _train_episodes(number: int, windows: int) -> list[tuple[int, int]]:
    first = number * EPISODES
    return [(place % windows, _FIRST_SEED + place) for place in range(first, first + EPISODES)]


def _best_on_val(means: list[Floats], runs: TunedRuns) -> Floats:
    episodes = list(fixed_episodes(runs.windows, VAL_SEEDS))
    return max(means, key=lambda weights: runs.utility(weights, episodes))


def _draw(mean: Floats, spread: Floats, seed: int, number: int) -> Floats:
    """Draws of a round, (DRAWS, 9), none below 0; the first is the mean."""
    uniform = counter.uniforms(seed, _STREAM + number, DRAWS * mean.size).reshape(DRAWS, mean.size)
    steps = ndtri(np.clip(uniform, 1e-9, 1.0 - 1e-9))
    steps[0] = 0.0
    return np.maximum(mean + spread * steps, 0.0)


def weights_of(region: Region, scenario: str) -> Floats:
    """The kept weights of a sample region; for any other edition those that `search` finds on it."""
    return read_weights(region.name) if region.edition == SAMPLE_EDITION else search(region, scenario)


def weights_from_elsewhere(region: str) -> Floats:
    """The mean of the kept weights of all other regions: what an agent knows that never saw this one."""
    return read_weights("", but=region)
