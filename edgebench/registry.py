"""What exists: regions, tracks, scenarios. Loader, environments, harness and boards are generated from these tables."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from edgebench.errors import unknown_name
from edgebench.spec import Range, RegionSpec


@dataclass(frozen=True)
class Scenario:
    """How the network behaves. `traps` switches the trap links' bad states on."""

    name: str
    meaning: str
    traps: bool


@dataclass(frozen=True)
class Track:
    """A decision problem: its environment, its primary metric (higher is better), a failed episode's value of it."""

    name: str
    entry_point: str
    vector_entry_point: str
    metric: str
    floor: float

    def env_id(self, region: str) -> str:
        """The Gymnasium id of this track on a region."""
        return f"EdgeBench/{self.name.capitalize()}-{region.upper()}-v0"


def spec_from_toml(path: Path) -> RegionSpec:
    """Read a region specification; its name is the file's stem."""
    entry: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    for key in ("compute", "storage_gb"):
        entry[key] = Range(**entry[key])
    for key in ("mcc", "nets", "bbox"):
        entry[key] = tuple(entry[key])
    return RegionSpec(name=path.stem, **entry)


REGIONS: Final = {
    path.stem: spec_from_toml(path) for path in sorted((Path(__file__).parent / "regions").glob("*.toml"))
}
SCENARIOS: Final = {
    scenario.name: scenario
    for scenario in (
        Scenario("calm", "no link ever turns bad", traps=False),
        Scenario("trap", "trap links turn bad for seconds at a time", traps=True),
    )
}
TRACKS: Final = {
    track.name: track
    for track in (
        Track(
            name="route",
            entry_point="edgebench.envs.route:RouteEnv",
            vector_entry_point="edgebench.envs.route_vector:RouteVectorEnv",
            metric="utility",
            floor=0.0,
        ),
    )
}
DEFAULT_SCENARIO: Final = "trap"
SAMPLE_EDITION: Final = "sample"


def region_spec(name: str) -> RegionSpec:
    """The specification of a registered region; EdgeBenchError with the nearest name where there is none."""
    if name not in REGIONS:
        raise unknown_name("region", name, REGIONS)
    return REGIONS[name]


def scenario(name: str) -> Scenario:
    """A registered scenario; EdgeBenchError with the nearest name where there is none."""
    if name not in SCENARIOS:
        raise unknown_name("scenario", name, SCENARIOS)
    return SCENARIOS[name]
