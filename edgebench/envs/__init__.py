"""Faces of the simulator: Gymnasium and PettingZoo environments, made by id or from a loaded region."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgebench.errors import EdgeBenchError
from edgebench.registry import DEFAULT_SCENARIO
from edgebench.registry import track as find_track
from edgebench.track import named

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
    environment: gymnasium.Env[Any, Any] = named(find_track(track).env)(
        region, scenario=scenario, split=split, privileged=privileged
    )
    return environment


def make_parallel_env(track: str, region: str | Region, **settings: Any) -> ParallelEnv[str, Any, Any]:
    """The PettingZoo parallel environment of a registered track.

    Args:
        track: A track's name.
        region: A name or a loaded region.
        settings: The environment's other arguments.

    Raises:
        EdgeBenchError: Unknown track, a track without such an environment, PettingZoo is not installed, or as the
            environment.
    """
    return _face(track, "parallel")(region, **settings)


def make_aec_env(track: str, region: str | Region, **settings: Any) -> AECEnv[str, Any, Any]:
    """The PettingZoo AEC environment of a registered track; as `make_parallel_env`."""
    return _face(track, "aec")(region, **settings)


def _face(track: str, kind: str) -> Any:
    entry: str = getattr(find_track(track), kind)
    if not entry:
        raise EdgeBenchError(f"the track {track} has no {kind} environment", mend="edgebench list tracks")
    return named(entry)
