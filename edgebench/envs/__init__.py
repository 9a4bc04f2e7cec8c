"""Faces of the simulator: Gymnasium and PettingZoo environments, made by id or from a loaded region."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from edgebench.errors import unknown_name
from edgebench.registry import DEFAULT_SCENARIO, TRACKS, Track

if TYPE_CHECKING:
    import gymnasium

    from edgebench.envs.pettingzoo_bases import AECEnv, ParallelEnv
    from edgebench.region import Region


def make_env(
    track: str, region: Region, *, scenario: str = DEFAULT_SCENARIO, split: str = "train", privileged: bool = False
) -> gymnasium.Env[Any, Any]:
    """The environment of a registered track on a loaded region, without Gymnasium's wrappers.

    Raises:
        EdgeBenchError: Unknown track, scenario or split.
    """
    environment: gymnasium.Env[Any, Any] = _class_at(_track(track).entry_point)(
        region, scenario=scenario, split=split, privileged=privileged
    )
    return environment


def make_parallel_env(track: str, region: str | Region, **settings: Any) -> ParallelEnv[str, Any, Any]:
    """The PettingZoo parallel environment of a registered track.

    Args:
        track: `route`.
        region: A name or a loaded region.
        settings: The environment's other arguments (`edgebench.envs.route_parallel.RouteParallelEnv`).

    Raises:
        EdgeBenchError: Unknown track, PettingZoo is not installed, or as the environment.
    """
    return _class_at(_track(track).parallel_entry_point)(region, **settings)


def make_aec_env(track: str, region: str | Region, **settings: Any) -> AECEnv[str, Any, Any]:
    """The PettingZoo AEC environment of a registered track; as `make_parallel_env`."""
    return _class_at(_track(track).aec_entry_point)(region, **settings)


def _track(name: str) -> Track:
    if name not in TRACKS:
        raise unknown_name("track", name, TRACKS)
    return TRACKS[name]


def _class_at(entry_point: str) -> Any:
    module, _, name = entry_point.partition(":")
    return getattr(importlib.import_module(module), name)
