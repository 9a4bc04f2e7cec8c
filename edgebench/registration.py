"""Gymnasium ids, registered without importing Gymnasium before anybody needs it.

Importing Gymnasium takes several times as long as answering `edgebench --help`
(`python benchmarks/help_time.py`), so the ids are registered when it is first imported.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from functools import cache
from types import ModuleType

from edgebench.errors import EdgeBenchError
from edgebench.registry import REGISTERED, TRACK_ENTRY_POINTS, TRACKS
from edgebench.track import Track, named


def register_environments() -> None:
    """Register an id per track, and one per track and registered region.

    Now if Gymnasium is imported already, else as soon as it is.
    """
    if "gymnasium" in sys.modules:
        _register()
    elif not any(isinstance(finder, _GymnasiumFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _GymnasiumFinder())


def register_track(track: Track) -> None:
    """Add a decision problem from another package: from then on it is made, evaluated, gated and ranked as the others.

    A package that is installed need not be imported first: it names its `Track` in the entry-point group
    `edgebench.tracks`.

    Raises:
        EdgeBenchError: The name is no small word or is taken, or the record lacks a metric that every track has.
    """
    if not track.name.isidentifier() or track.name != track.name.lower() or track.name == "total":
        raise EdgeBenchError(f"{track.name!r} cannot name a track", mend="use small letters and digits: offload")
    if TRACKS.get(track.name, track) != track:
        raise EdgeBenchError(f"there is a track {track.name!r} already", mend="give it another name")
    missing = track.floors.keys() - {metric.name for metric in track.metrics}
    if missing:
        raise EdgeBenchError(f"the track {track.name} has no metric {', '.join(sorted(missing))}", mend="add it")
    TRACKS[track.name] = track
    if "gymnasium" in sys.modules:
        _register_ids(track)


@cache
def load_tracks() -> None:
    """Register the tracks of installed packages, once."""
    import importlib.metadata

    for entry in importlib.metadata.entry_points(group=TRACK_ENTRY_POINTS):
        register_track(named(entry.value))


def _register() -> None:
    load_tracks()
    for track in TRACKS.values():
        _register_ids(track)


def _register_ids(track: Track) -> None:
    import gymnasium

    gymnasium.register(id=track.any_env_id, entry_point=track.env)
    for region in REGISTERED.values():
        gymnasium.register(
            id=track.env_id(region.name),
            entry_point=track.env,
            vector_entry_point=track.vector or None,
            kwargs={"region": region.name},
        )


class _GymnasiumFinder(importlib.abc.MetaPathFinder):
    """Finds Gymnasium as usual, once, and has its loader register the ids after loading it."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name != "gymnasium":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            spec.loader = _RegisteringLoader(spec.loader)
        return spec


class _RegisteringLoader(importlib.abc.Loader):
    def __init__(self, loader: importlib.abc.Loader) -> None:
        self._loader = loader

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        _register()
