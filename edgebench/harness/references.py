"""What a score of 0 and of 1 stand for: the random agent's and the bound's primary metric on the same episodes.

Frozen for the standard regions of the sample edition in `references.json`, which
`python -m edgebench.harness.references [TRACK…]` writes; computed once and kept beside the region for any other.
"""

from __future__ import annotations

import importlib
import json
import math
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from edgebench.atomic import write_text
from edgebench.constants import EVAL_SEEDS, GATE_SEEDS
from edgebench.envs import make_env
from edgebench.harness.rollout import fixed_episodes, roll
from edgebench.region import Region, load
from edgebench.registry import DEFAULT_SCENARIO, REGIONS, SCENARIOS, TRACKS, Scenario
from edgebench.registry import scenario as find_scenario
from edgebench.registry import track as find_track
from edgebench.sim.episodes import windows_of
from edgebench.track import Track, named

FROZEN: Final = Path(__file__).with_name("references.json")
"""References of the sample edition, by region digest."""
ZERO_AGENT: Final = "random_valid"
"""The module of a track's agent whose score is 0, in the package of its reference agents."""


class EpisodeBounds(Protocol):
    """A track's reference bound."""

    def __call__(
        self, region: Region, *, scenario: Scenario, split: str, episodes: Sequence[tuple[int, int]]
    ) -> NDArray[np.float64]:
        """A bound of the primary metric of each episode (window, scenario seed), (len(episodes),)."""


@dataclass(frozen=True)
class References:
    """Mean primary metric over a region's episodes: `random` of the random agent, `bound` of the reference bound."""

    random: float
    bound: float


def references(region: Region, *, track: str, scenario: str, split: str, seeds: int) -> References:
    """The references of a region's episodes (windows of the split × scenario seeds 0 … seeds-1).

    Looked up in `FROZEN` by the region's digest, then in the `references.json` beside the region, else computed
    and, where the region's folder may be written to, kept there.
    """
    key = _key(track, scenario, split, seeds)
    own = region.path / "references.json"
    for kept in (_read(FROZEN), _read(own)):
        if key in kept.get(region.digest, {}):
            return References(**kept[region.digest][key])
    found = compute(region, track=track, scenario=scenario, split=split, seeds=seeds)
    if os.access(region.path, os.W_OK):
        kept = _read(own)
        kept.setdefault(region.digest, {})[key] = vars(found)
        _write(own, kept)
    return found


def frozen_digests() -> frozenset[str]:
    """Digests of the regions whose references are frozen: the standard ones of the sample edition."""
    return frozenset(_read(FROZEN))


def compute(region: Region, *, track: str, scenario: str, split: str, seeds: int) -> References:
    """Run the random agent and find the bound."""
    episodes = fixed_episodes(int(windows_of(region.task_table(split).num_rows)), seeds)
    return compute_on(region, track=track, scenario=scenario, split=split, episodes=episodes)


def compute_on(
    region: Region, *, track: str, scenario: str, split: str, episodes: Sequence[tuple[int, int]]
) -> References:
    """The references of any episodes (window, scenario seed); nothing is kept."""
    found = find_track(track)
    env = make_env(track, region, scenario=scenario, split=split)
    agent = importlib.import_module(f"{found.agents}.{ZERO_AGENT}").Agent()
    drawn = [metrics[found.metric] for metrics in roll(env, agent, episodes)]
    bounds = bounds_of(found)(region, scenario=find_scenario(scenario), split=split, episodes=episodes)
    return References(_mean(drawn), _mean(bounds.tolist()))


def bounds_of(track: Track) -> EpisodeBounds:
    """The track's reference bound."""
    bounds: EpisodeBounds = named(track.bound)
    return bounds


def freeze(tracks: Sequence[str], regions: Sequence[str], path: Path = FROZEN) -> None:
    """Write the references of tracks on built sample regions, test split; those of others stay.

    Of every scenario under the seeds of a score, of the default one also under those of the gate.
    """
    kept = _read(path)
    played = [*((scenario, EVAL_SEEDS) for scenario in SCENARIOS), (DEFAULT_SCENARIO, GATE_SEEDS)]
    for track in tracks:
        for region in map(load, regions):
            for scenario, seeds in played:
                found = compute(region, track=track, scenario=scenario, split="test", seeds=seeds)
                kept.setdefault(region.digest, {})[_key(track, scenario, "test", seeds)] = vars(found)
            _write(path, kept)


def _key(track: str, scenario: str, split: str, seeds: int) -> str:
    return f"{track}/{scenario}/{split}/{seeds}"


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _read(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}


def _write(path: Path, kept: dict[str, Any]) -> None:
    write_text(path, json.dumps(kept, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    freeze(sys.argv[1:] or list(TRACKS), list(REGIONS))
