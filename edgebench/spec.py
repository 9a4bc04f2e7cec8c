"""What a region is to be: its place, its size and the method of every builder step by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal

from edgebench.constants import TARGET_UTILISATION

NodeMethod = Literal["spread", "clusters", "grid"]
LinkMethod = Literal["gabriel", "gabriel-decay", "nearest", "backbone"]
PlacementMethod = Literal["random", "single-type", "popularity", "tiled"]
TrapChoice = Literal["busiest", "random", "top-compute"]
TrapBehaviour = Literal["gilbert-elliott", "coin", "flat"]
ArrivalProcess = Literal["poisson", "bursty", "on-off", "diurnal"]
WorkflowShape = Literal["chain-5", "chain", "diamond", "tree", "hybrid", "dag"]

LEAST_EXPERTS: Final = 3
MOST_EXPERTS: Final = 64

_STRICT: Final = {"extra": "forbid", "allow_inf_nan": False}
"""How pydantic reads these classes (`edgebench.spec_check`)."""


@dataclass(frozen=True)
class Range:
    """Integers between `min` and `max`, both of which occur, with the stated mean."""

    __pydantic_config__: ClassVar[Any] = _STRICT
    min: int
    max: int
    mean: float


@dataclass(frozen=True)
class TrapSpec:
    """Which links are traps and what they do.

    Attributes:
        which: The busiest links, random ones, or all links of the nodes with most compute.
        share: Share of the links (of the nodes, for `top-compute`); None takes the busiest until a path meets
            `edgebench.constants.TRAP_CROSSINGS` of them.
        behaviour: A Gilbert–Elliott chain, the coin of 100 or 200 ms, or flat 2000 ms at 1 Mbit/s.
        loss: Share of packets lost, and sent again, on a trap link in its bad state.
    """

    __pydantic_config__: ClassVar[Any] = _STRICT
    which: TrapChoice = "busiest"
    share: float | None = None
    behaviour: TrapBehaviour = "gilbert-elliott"
    loss: float = 0.0


@dataclass(frozen=True)
class WorkloadSpec:
    """Who asks for what, and when.

    Attributes:
        arrivals: Process of the arrivals; all have the same mean rate.
        workflow: `chain-5`, chains of 2–10 stages (`chain`), one shape of graph, or a mixture of shapes (`dag`).
        experts: Model types, 3–64, in equal parts of the kinds text, image and video.
        tokens: None for the fitted distribution, or the path of a BurstGPT CSV whose lengths are drawn instead.
        utilisation: Offered load over capacity of the scarcest model type; sets the rate.
    """

    __pydantic_config__: ClassVar[Any] = _STRICT
    arrivals: ArrivalProcess = "poisson"
    workflow: WorkflowShape = "chain-5"
    experts: int = LEAST_EXPERTS
    tokens: str | None = None
    utilisation: float = TARGET_UTILISATION


@dataclass(frozen=True)
class RegionSpec:
    """What a region is to be.

    Attributes:
        name: In file-name letters.
        title: For people.
        mcc: Mobile country codes of its cells.
        nets: Operators kept; empty for those with a share of the cells that tells them from junk.
        bbox: lon min, lat min, lon max, lat max in degrees.
        nodes: How many edge servers.
        compute: Compute units of a node.
        storage_gb: Storage of a node.
        mean_degree: Links a node, on average.
        polygon: Ring of (lon, lat) in degrees inside which cells are kept; None for the whole bbox.
        nodes_by: Method that chooses the nodes.
        links_by: Method that links them.
        placement: Method that places the models.
        traps: Which links are traps.
        workload: The tasks.
        family: Regions of one family are evaluated and ranked together.
        cross_domain: Kept out of training by the rules of the cross-domain board.
        network_of: The region whose cells and hashed draws it takes, so that with equal methods nodes, links and
            instances are equal too; None for its own.
    """

    __pydantic_config__: ClassVar[Any] = _STRICT
    name: str
    title: str
    mcc: tuple[int, ...]
    nets: tuple[int, ...]
    bbox: tuple[float, float, float, float]
    nodes: int
    compute: Range
    storage_gb: Range
    mean_degree: float
    polygon: tuple[tuple[float, float], ...] | None = None
    nodes_by: NodeMethod = "spread"
    links_by: LinkMethod = "gabriel"
    placement: PlacementMethod = "random"
    traps: TrapSpec = TrapSpec()
    workload: WorkloadSpec = WorkloadSpec()
    family: Literal["standard", "dag", "scale", "own", "imported"] = "standard"
    cross_domain: bool = False
    network_of: str | None = None

    @property
    def network(self) -> str:
        """The region that names its cells and its draws."""
        return self.network_of or self.name


OWN_DEFAULTS: Final[Mapping[str, Any]] = {
    "nets": (),
    "compute": {"min": 16, "max": 54, "mean": 34.6},
    "storage_gb": {"min": 16, "max": 34, "mean": 25.3},
    "mean_degree": 3.2,
}
"""What a region of one's own has where nothing else is said: the ranges and the degree of s1."""


def make_spec(entry: Mapping[str, Any]) -> RegionSpec:
    """The specification that well-formed tables and lists describe; `edgebench.spec_check` reads those of strangers."""
    fields = dict(entry)
    for key in ("compute", "storage_gb"):
        fields[key] = Range(**entry[key])
    for key in ("mcc", "nets", "bbox"):
        fields[key] = tuple(entry[key])
    if entry.get("polygon") is not None:
        fields["polygon"] = tuple((lon, lat) for lon, lat in entry["polygon"])
    fields["traps"] = TrapSpec(**entry.get("traps", {}))
    fields["workload"] = WorkloadSpec(**entry.get("workload", {}))
    return RegionSpec(**fields)
