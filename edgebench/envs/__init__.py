"""Faces of the simulator: Gymnasium environments, made by id or from a loaded region."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from edgebench.errors import unknown_name
from edgebench.registry import DEFAULT_SCENARIO, TRACKS

if TYPE_CHECKING:
    import gymnasium

    from edgebench.region import Region


def make_env(
    track: str, region: Region, *, scenario: str = DEFAULT_SCENARIO, split: str = "train", privileged: bool = False
) -> gymnasium.Env[Any, Any]:
    """The environment of a registered track on a loaded region, without Gymnasium's wrappers.

    Raises:
        EdgeBenchError: Unknown track, scenario or split.
    """
    if track not in TRACKS:
        raise unknown_name("track", track, TRACKS)
    module, _, name = TRACKS[track].entry_point.partition(":")
    environment: gymnasium.Env[Any, Any] = getattr(importlib.import_module(module), name)(
        region, scenario=scenario, split=split, privileged=privileged
    )
    return environment
