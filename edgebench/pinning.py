"""Which episode is played: pinned by options, or hashed from the environment's seed and its resets."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, Final

from edgebench.errors import EdgeBenchError
from edgebench.sim.episodes import drawn_seed, drawn_window, windows_of

if TYPE_CHECKING:
    from edgebench.region import Region

_SEEDS: Final = 2**63
_OPTIONS: Final = ("window", "seed")


class Pinning:
    """Which episode comes next, for an environment that asks nothing else of it.

    Args:
        region: Whose episodes they are.
        split: Of which split.
        seed: The environment's until `begin` is given another.
    """

    def __init__(self, region: Region, split: str, seed: int) -> None:
        self._region, self._split = region.name, split
        self._tasks = region.task_table(split).num_rows
        self._seed, self._resets = checked_seed(seed), 0

    @property
    def windows(self) -> int:
        """Episodes' worth of tasks in the split."""
        return int(windows_of(self._tasks))

    def begin(self, seed: int | None, options: dict[str, Any] | None) -> tuple[int, int]:
        """Window and scenario seed of the episode that `reset(seed=..., options=...)` begins; as `pinned_episode`."""
        if seed is not None:
            self._seed, self._resets = checked_seed(seed), 0
        episode = pinned_episode(options or {}, self._seed, self._resets, self._tasks, self._region, self._split)
        self._resets += 1
        return episode


def pinned_episode(
    options: dict[str, Any], seed: int, resets: int, tasks: int, region: str, split: str
) -> tuple[int, int]:
    """Window and scenario seed of the episode after `resets` others, unless `options` pin them.

    Args:
        options: Of `reset`: `window` and `seed`, both optional.
        seed: The environment's.
        resets: Episodes begun since that seed was given.
        tasks: Of the split.
        region: Whose windows they are, for messages,
        split: and of which split.

    Raises:
        EdgeBenchError: An option does not exist or is out of its range.
    """
    refuse_unknown_options(options)
    window = options.get("window", drawn_window(seed, resets, tasks))
    pinned = options.get("seed", drawn_seed(seed, resets))
    return checked_window(window, int(windows_of(tasks)), region, split), checked_seed(pinned)


def refuse_unknown_options(options: dict[str, Any]) -> None:
    """EdgeBenchError for a reset option that does not exist."""
    unknown = sorted(set(options) - set(_OPTIONS))
    if unknown:
        raise EdgeBenchError(f"unknown reset option {unknown[0]!r}", mend=f"known: {', '.join(_OPTIONS)}")


def checked_window(value: Any, windows: int, region: str, split: str) -> int:
    """`value` as the number of a window; EdgeBenchError for anything else."""
    window = _whole("window", value)
    if not 0 <= window < windows:
        raise EdgeBenchError(f"no window {window}", where=f"{region}, split {split}", mend=f"give 0 … {windows - 1}")
    return window


def checked_seed(value: Any) -> int:
    """`value` as a seed; EdgeBenchError for anything but 0 … 2^63 - 1."""
    seed = _whole("seed", value)
    if not 0 <= seed < _SEEDS:
        raise EdgeBenchError(f"seed is {seed}", mend="give 0 … 2^63 - 1")
    return seed


def _whole(name: str, value: Any) -> int:
    try:
        return operator.index(value)
    except TypeError as error:
        raise EdgeBenchError(f"{name} is {value!r}", mend="give a whole number") from error
