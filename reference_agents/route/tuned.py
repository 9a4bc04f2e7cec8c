"""Tuned: the lookahead's terms with weights found by cross-entropy search on the train tasks.

The honest bar for a learned agent: a linear policy over what the operator sees. Nine weights a region, in
`tuned_weights.json`; a region without its own takes the mean of theirs.

Command: edgebench eval tuned
Weights: edgebench tune --write (`reference_agents/route/tuned_search.py`)
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edgebench.sim.compiled import compiled
from edgebench.tracks.route.features import CANDIDATE, TASK
from reference_agents.route.lookahead import Lookahead
from reference_agents.route.scoring import TERMS, Observation, blank, expected_terms

WEIGHTS: Final = (*TERMS, "hurry")
"""What is weighted: the lookahead's terms, and time whatever the user's weight of speed, for lateness fails a task."""
WEIGHTS_FILE: Final = Path(__file__).with_name("tuned_weights.json")

_TIMES: Final = CANDIDATE["service_s"] + 1
_DOWN: Final = CANDIDATE["down"]
_DEADLINE: Final = TASK["deadline_s"]


@compiled
def choose(
    candidates: NDArray[np.float32],
    task: NDArray[np.float32],
    mask: NDArray[np.int8],
    rest: NDArray[np.float64],
    weights: NDArray[np.float64],
) -> int:
    """The valid candidate with the highest weighted sum of terms, the first where several have it.

    As `reference_agents.route.scoring.pick`, one on a node that telemetry calls down is taken only if all are.

    Args:
        candidates: Of the observation, (F, K).
        task: Of the observation, (T,).
        mask: Of the observation, (K,).
        rest: Utility that the stages after this one can add, (K,).
        weights: In the order of `WEIGHTS`, (9,).
    """
    terms = expected_terms(candidates, task, rest)
    best, best_score, best_is_up = -1, -np.inf, False
    for slot in range(mask.size):
        score = -weights[-1] * candidates[:_TIMES, slot].sum() / task[_DEADLINE]
        for term in range(terms.shape[0]):
            score += weights[term] * terms[term, slot]
        is_up = candidates[_DOWN, slot] == 0.0
        if mask[slot] and (is_up, score) > (best_is_up, best_score):
            best, best_score, best_is_up = slot, score, is_up
    return best


def read_weights(region: str, but: str = "") -> NDArray[np.float64]:
    """The weights of a region, (9,), or the mean of all but those of `but` where it has none of its own."""
    kept: dict[str, dict[str, float]] = json.loads(WEIGHTS_FILE.read_text(encoding="utf-8"))
    kept.pop(but, None)
    chosen = [kept[region]] if region in kept else list(kept.values())
    return np.asarray(np.array([[weights[name] for name in WEIGHTS] for weights in chosen]).mean(axis=0))


class Agent:
    """Reads the network and its weights once a region; remembers nothing of what it did but tasks' values.

    Args:
        weights: In the order of `WEIGHTS`, (9,); by default those kept for the region.
    """

    _region: str = ""

    def __init__(self, weights: NDArray[np.float64] | None = None) -> None:
        self._given = weights

    def reset(self, info: dict[str, Any]) -> None:
        """Read the network once a region, begin an episode."""
        if info["region"] != self._region:
            self._lookahead, self._region = Lookahead(info["topology"]), info["region"]
            self._weights = read_weights(self._region) if self._given is None else self._given
            choose(*blank(), self._weights)
        self._lookahead.forget()

    def act(self, observation: Observation, info: dict[str, Any]) -> int:
        """The candidate whose weighted terms sum highest."""
        rest = self._lookahead.rest(observation, info)
        return choose(observation["candidates"], observation["task"], observation["action_mask"], rest, self._weights)
