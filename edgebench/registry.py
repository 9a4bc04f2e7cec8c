"""What exists: regions, tracks, scenarios. Loader, environments, harness and boards are generated from these tables."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from edgebench import constants
from edgebench.errors import EdgeBenchError, unknown_name
from edgebench.paths import home, is_folder_name, processed_dir
from edgebench.spec import RegionSpec, make_spec
from edgebench.track import Track
from edgebench.tracks.allocate import track as allocate
from edgebench.tracks.offload import track as offload
from edgebench.tracks.place import track as place
from edgebench.tracks.route import track as route


@dataclass(frozen=True)
class Scenario:
    """How network and load behave, beside what the region says. Chances are per slot of `TRAP_SLOT_MS`.

    Attributes:
        name: The scenario's name.
        meaning: What happens, in one line.
        traps: Whether trap links turn bad.
        crowds: Flash crowds an episode.
        crowd_tasks: Tasks of one.
        crowd_speedup: How many times as fast they come.
        outage_enter: Chance that a node fails.
        outage_leave: Chance that a failed node is back.
        drifts: Whether the set of traps and the place of the load move within the episode.
        jitter_chance: Chance that the way between two nodes is late.
        jitter_min_ms: Least and
        jitter_max_ms: most that it takes longer.
    """

    name: str
    meaning: str
    traps: bool = True
    crowds: int = 0
    crowd_tasks: int = 0
    crowd_speedup: float = 1.0
    outage_enter: float = 0.0
    outage_leave: float = 0.0
    drifts: bool = False
    jitter_chance: float = 0.0
    jitter_min_ms: float = 0.0
    jitter_max_ms: float = 0.0

    def parameters(self) -> dict[str, float]:
        """All but name and meaning, as the simulator's rules take them (`edgebench.tracks.route.rules`)."""
        return {name: float(value) for name, value in vars(self).items() if name not in ("name", "meaning")}


def _registered(path: Path) -> RegionSpec:
    entry = _read_toml(path)
    shared = _read_toml(path.with_stem(entry["network_of"])) if "network_of" in entry else {}
    return make_spec({"name": path.stem} | shared | entry)


def _read_toml(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


REGISTERED: Final = {
    path.stem: _registered(path)
    for path in sorted((Path(__file__).parent / "regions").glob("*.toml"), key=lambda path: (len(path.stem), path.stem))
}
"""Every region that has a specification here, by name."""
REGIONS: Final = {name: spec for name, spec in REGISTERED.items() if spec.family == "standard"}
"""The standard regions: what `all` stands for in every verb."""
SCENARIOS: Final = {
    scenario.name: scenario
    for scenario in (
        Scenario("calm", "no link ever turns bad", traps=False),
        Scenario("trap", "trap links turn bad for seconds at a time"),
        Scenario(
            "burst",
            "as trap, and flash crowds: runs of tasks that come several times as fast",
            crowds=constants.CROWDS,
            crowd_tasks=constants.CROWD_TASKS,
            crowd_speedup=constants.CROWD_SPEEDUP,
        ),
        Scenario(
            "outage",
            "as trap, and nodes fail for seconds at a time, with all that they hold",
            outage_enter=constants.OUTAGE_ENTER,
            outage_leave=constants.OUTAGE_LEAVE,
        ),
        Scenario("drift", "traps come and go in turn, and the load moves from west to east", drifts=True),
        Scenario(
            "jitter",
            "as trap, and the ways between nodes are late at times",
            jitter_chance=constants.JITTER_CHANCE,
            jitter_min_ms=constants.JITTER_MS[0],
            jitter_max_ms=constants.JITTER_MS[1],
        ),
    )
}
TRACKS: Final = {track.name: track for track in (route.TRACK, offload.TRACK, allocate.TRACK, place.TRACK)}
"""The decision problems by name; `edgebench.registration.register_track` adds one from another package."""
TRACK_ENTRY_POINTS: Final = "edgebench.tracks"
"""The entry-point group in which a package names its tracks."""
WORKFLOWS: Final = {"chain": "", "dag": "-dag"}
"""Kinds of workflow that a region can be asked for, and what its companion of that kind bears behind its name."""
DEFAULT_WORKFLOW: Final = "chain"
DEFAULT_SCENARIO: Final = "trap"
DEFAULT_TRACK: Final = "route"
SAMPLE_EDITION: Final = "sample"
SAMPLE_ATTRIBUTION: Final = "EdgeBench sample cells, generated"
"""What the manifest of every region says whose cells are bundled ones, of whatever edition it is."""
UNSEEN: Final = "s4"
"""The standard region of the cross-domain board: agents on it must not have learned on it."""


def region_spec(name: str) -> RegionSpec:
    """The specification of a registered region, or of one that was built here under this name.

    Raises:
        EdgeBenchError: No region bears the name; the nearest name is told.
    """
    if name in REGISTERED:
        return REGISTERED[name]
    editions = own_regions().get(name)
    if not editions:
        raise unknown_name("region", name, {**REGISTERED, **own_regions()})
    from edgebench.spec_check import spec_from_manifest

    return spec_from_manifest(own_manifest(name, editions[0]))


def companion(name: str, workflow: str) -> str:
    """The registered region with the network of `name` and workflows of this kind, or `name` where there is none.

    Raises:
        EdgeBenchError: No kind of workflow bears the name.
    """
    if workflow not in WORKFLOWS:
        raise unknown_name("workflow", workflow, WORKFLOWS)
    wanted = name + WORKFLOWS[workflow]
    return wanted if wanted in REGISTERED else name


def own_regions() -> dict[str, list[str]]:
    """The regions built here that are not registered, each with the editions it was built from; sorted."""
    found: dict[str, list[str]] = {}
    for path in sorted((home() / "processed").glob("*/*/manifest.json")):
        edition, name = path.parts[-3:-1]
        if name not in REGISTERED and is_folder_name(name):
            found.setdefault(name, []).append(edition)
    return dict(sorted(found.items()))


def wanted_regions(text: str, edition: str) -> list[str]:
    """The regions that `s1,bern` names, each once; `all` stands for the standard ones.

    Raises:
        EdgeBenchError: None is named, no region bears a name (the nearest is told), or a region of one's own is not
            built from this edition.
    """
    if text == "all":
        return list(REGIONS)
    own = own_regions()
    known = {**REGISTERED, **own}
    wanted = list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if not wanted:
        raise EdgeBenchError("no region named", where=repr(text), mend=f"known: {', '.join(known)}")
    for name in wanted:
        if name not in known:
            raise unknown_name("region", name, known)
        if name in own and edition not in own[name]:
            raise not_built(name, edition)
    return wanted


def not_built(name: str, edition: str) -> EdgeBenchError:
    """An error for a region that is not built from `edition`, with the command that helps."""
    what = f"region {name!r} of edition {edition!r} is not built"
    if name in REGISTERED:
        cells = "" if edition == SAMPLE_EDITION else f" --cells FILE --edition {edition}"
        return EdgeBenchError(what, mend=f"edgebench build --region {name}{cells}")
    editions = own_regions().get(name)
    if editions:
        return EdgeBenchError(what, mend=f"it is built from other cells: --edition {editions[0]}")
    known = {**REGISTERED, **own_regions()}
    hint = unknown_name("region", name, known).mend
    return EdgeBenchError(what, mend=f"{hint}; a region of your own: edgebench build --spec FILE --cells FILE")


def family(name: str, edition: str) -> str:
    """The family of a registered region, or of one built here: only regions of one family are ranked together."""
    if name in REGISTERED:
        return REGISTERED[name].family
    if not is_folder_name(name) or edition not in own_regions().get(name, []):
        raise not_built(name, edition)
    return str(own_manifest(name, edition)["spec"].get("family"))


def own_manifest(name: str, edition: str) -> dict[str, Any]:
    """The manifest of a region built here, unchecked but for its title and its specification being there.

    Raises:
        EdgeBenchError: It is damaged.
    """
    path = processed_dir(name, edition) / "manifest.json"
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(manifest["title"], str) and isinstance(manifest["spec"], dict):
            return dict(manifest)
    except (OSError, ValueError, TypeError, LookupError, RecursionError) as error:
        raise _damaged(path, f"{type(error).__name__}: {error}") from error
    raise _damaged(path, "no title or no specification")


def _damaged(path: Path, what: str) -> EdgeBenchError:
    return EdgeBenchError(
        f"damaged manifest: {what}", where=str(path), mend="build the region again with --force, or remove its folder"
    )


def scenario(name: str) -> Scenario:
    """A registered scenario; EdgeBenchError with the nearest name where there is none."""
    if name not in SCENARIOS:
        raise unknown_name("scenario", name, SCENARIOS)
    return SCENARIOS[name]


def track(name: str) -> Track:
    """A registered track, of an installed package too; EdgeBenchError with the nearest name where there is none."""
    if name not in TRACKS:
        from edgebench.registration import load_tracks

        load_tracks()
    if name not in TRACKS:
        raise unknown_name("track", name, TRACKS)
    return TRACKS[name]
