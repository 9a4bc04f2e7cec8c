"""A specification from a stranger's hand: every error found at once, each with its key, what was given and what may be.

pydantic reads the classes of `edgebench.spec`; it is imported here alone, for it takes longer than
answering `edgebench --help`.
"""

from __future__ import annotations

import difflib
import json
import typing
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import fields
from typing import Any, Final

from edgebench import spec as spec_module
from edgebench.errors import EdgeBenchError
from edgebench.paths import is_folder_name
from edgebench.spec import LEAST_EXPERTS, MOST_EXPERTS, RegionSpec, TrapSpec, WorkloadSpec

LEAST_NODES: Final = 3
MOST_NODES: Final = 100_000
MOST_UNITS: Final = 1_000_000
"""Most compute units or gigabytes of a node."""
MOST_TITLE: Final = 200

_GIVEN: Final = 80
_RANGE: Final = "min, max (whole numbers from 1) and mean between them, such that as many integers as nodes can have it"


def _one_of(method: Any) -> str:
    return ", ".join(typing.get_args(method))


ALLOWED: Final = {
    "name": "small letters, digits, hyphens and underscores, 64 at most; not `all`, no registered region, no device",
    "title": f"printable text, {MOST_TITLE} characters at most",
    "mcc": "mobile country codes, 200 to 999, each once, one at least",
    "nets": "mobile network codes, 0 to 999, each once; none for all with a fair share of the cells",
    "bbox": "lon min, lat min, lon max, lat max in degrees, each min below its max, lon -180 to 180, lat -90 to 90",
    "polygon": "a ring of [lon, lat] in degrees with three different points at least, or a GeoJSON file",
    "nodes": f"a whole number, {LEAST_NODES} to {MOST_NODES}",
    "compute": _RANGE,
    "storage_gb": _RANGE,
    "mean_degree": "a number such that the links connect all nodes and no two nodes need two: 2 - 2/nodes to nodes - 1",
    "nodes_by": _one_of(spec_module.NodeMethod),
    "links_by": _one_of(spec_module.LinkMethod),
    "placement": _one_of(spec_module.PlacementMethod),
    "traps": f"a table with {', '.join(field.name for field in fields(TrapSpec))}",
    "traps.which": _one_of(spec_module.TrapChoice),
    "traps.share": "a number above 0, at most 1; left out for the standard density, with the busiest links alone",
    "traps.behaviour": _one_of(spec_module.TrapBehaviour),
    "traps.loss": "a number from 0, below 1",
    "workload": f"a table with {', '.join(field.name for field in fields(WorkloadSpec))}",
    "workload.arrivals": _one_of(spec_module.ArrivalProcess),
    "workload.workflow": _one_of(spec_module.WorkflowShape),
    "workload.experts": f"a whole number, {LEAST_EXPERTS} to {MOST_EXPERTS}",
    "workload.tokens": "the path of a BurstGPT CSV; left out for the fitted distribution",
    "workload.utilisation": "a number above 0, at most 1",
}
"""What each key of a specification may hold."""


def _is_range(value: Mapping[str, Any]) -> bool:
    low, high = value["min"], value["max"]
    return bool(1 <= low < high <= MOST_UNITS and low <= value["mean"] <= high)


def _is_box(box: Collection[float]) -> bool:
    west, south, east, north = box
    return -180.0 <= west < east <= 180.0 and -90.0 <= south < north <= 90.0


def _is_ring(ring: Collection[Collection[float]] | None) -> bool:
    points = {(lon, lat) for lon, lat in ring or ()}
    return ring is None or (len(points) >= 3 and all(abs(lon) <= 180.0 and abs(lat) <= 90.0 for lon, lat in points))


def _are_codes(codes: Collection[int], least: int) -> bool:
    return len(set(codes)) == len(codes) and all(least <= code <= 999 for code in codes)


_RULES: Final[Mapping[str, Callable[[Any], bool]]] = {
    "name": lambda name: is_folder_name(name) and name != "all",
    "title": lambda title: bool(title.strip()) and title.isprintable() and len(title) <= MOST_TITLE,
    "mcc": lambda codes: bool(codes) and _are_codes(codes, 200),
    "nets": lambda codes: _are_codes(codes, 0),
    "bbox": _is_box,
    "polygon": _is_ring,
    "nodes": lambda nodes: LEAST_NODES <= nodes <= MOST_NODES,
    "compute": _is_range,
    "storage_gb": _is_range,
    "traps.share": lambda share: share is None or 0.0 < share <= 1.0,
    "traps.loss": lambda loss: 0.0 <= loss < 1.0,
    "workload.experts": lambda experts: LEAST_EXPERTS <= experts <= MOST_EXPERTS,
    "workload.utilisation": lambda utilisation: 0.0 < utilisation <= 1.0,
}


def _can_have_mean(value: Mapping[str, Any], nodes: int) -> bool:
    low, high, total = value["min"], value["max"], round(value["mean"] * nodes)
    return bool(low * (nodes - 1) + high <= total <= low + high * (nodes - 1))


_RULES_BESIDE_NODES: Final[Mapping[str, Callable[[Any, int], bool]]] = {
    "compute": _can_have_mean,
    "storage_gb": _can_have_mean,
    "mean_degree": lambda degree, nodes: 2.0 - 2.0 / nodes <= degree <= nodes - 1.0,
}
"""What makes sense beside a number of nodes only."""


def check_spec(entry: Mapping[str, Any], *, where: str, taken: Collection[str] = ()) -> RegionSpec:
    """Read a specification made of tables, lists, text and numbers.

    Args:
        entry: The keys of `edgebench.spec.RegionSpec`, as TOML or JSON has them.
        where: Where it stands, for the message.
        taken: Names a region cannot have.

    Raises:
        EdgeBenchError: With all errors of the specification.
    """
    spec, problems = _read(entry)
    broken = {path for path, _ in problems}
    problems += [(path, _given(path, value)) for path, value in _senseless(entry, broken)]
    if not _touches("traps.share", broken) and _lacks_share(entry):
        problems.append(("traps.share", f"traps.share: missing; allowed: {ALLOWED['traps.share']}"))
    if "name" not in broken and entry["name"] in taken:
        problems.append(("name", f"name: {entry['name']!r} is a registered region's; choose another"))
    if spec is None or problems:
        lines = "".join(f"\n  {line}" for line in sorted(line for _, line in problems))
        plural = "" if len(problems) == 1 else "s"
        raise EdgeBenchError(
            f"{len(problems)} error{plural} in the specification of a region:{lines}",
            where=where,
            mend="docs/regions.md describes every key",
        )
    return spec


def spec_from_manifest(manifest: Mapping[str, Any]) -> RegionSpec:
    """The specification a region's manifest records; EdgeBenchError where it holds none."""
    entry = manifest.get("spec")
    if not isinstance(entry, dict):
        raise EdgeBenchError("the manifest holds no specification", where=f"region {manifest.get('region')}")
    return check_spec(entry, where=f"manifest.json of region {manifest.get('region')}")


def _read(entry: Mapping[str, Any]) -> tuple[RegionSpec | None, list[tuple[str, str]]]:
    """The specification where its form is right; else, for each error, the key it concerns and a line about it."""
    from pydantic import TypeAdapter, ValidationError

    try:
        # By way of JSON, in which pydantic is strict about types but takes a list for a tuple.
        return TypeAdapter(RegionSpec).validate_json(json.dumps(entry, default=str), strict=True), []
    except ValidationError as error:
        found = error.errors(include_url=False)
    return None, [_told(_path(part["loc"]), part["type"], part["input"]) for part in found]


def _path(location: tuple[str | int, ...]) -> str:
    """`workload.experts`, `bbox[2]`."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in location).lstrip(".")


def _told(path: str, kind: str, value: Any) -> tuple[str, str]:
    key = path.partition("[")[0]
    if kind == "unexpected_keyword_argument":
        return key, f"{path}: {_no_key(path)}"
    if key not in ALLOWED:
        key = key.rpartition(".")[0]
    if kind == "missing":
        return key, f"{path}: missing; allowed: {ALLOWED.get(key, 'see the key')}"
    return key, _given(path, value, key)


def _no_key(path: str) -> str:
    table, _, name = path.rpartition(".")
    siblings = [key.rpartition(".")[2] for key in ALLOWED if key.rpartition(".")[0] == table] or ["min", "max", "mean"]
    near = difflib.get_close_matches(name, siblings, n=1)
    return "no such key; " + (f"did you mean {near[0]!r}?" if near else f"known: {', '.join(siblings)}")


def _given(path: str, value: Any, key: str = "") -> str:
    text = repr(value)
    shown = text if len(text) <= _GIVEN else f"{text[:_GIVEN]}…"
    return f"{path}: given {shown}; allowed: {ALLOWED.get(key or path, 'see the key')}"


def _senseless(entry: Mapping[str, Any], broken: set[str]) -> Iterator[tuple[str, Any]]:
    """The keys, and their values, whose form is right but whose meaning is not."""
    values = {path: _value(entry, path) for path in ALLOWED if not _touches(path, broken)}
    present = {path: value for path, value in values.items() if value is not None}
    wrong = {path for path, rule in _RULES.items() if path in present and not rule(present[path])}
    if "nodes" in present and "nodes" not in wrong:
        beside = _RULES_BESIDE_NODES.items()
        wrong |= {path for path, rule in beside if path in present and path not in wrong
                  and not rule(present[path], present["nodes"])}  # fmt: skip
    yield from ((path, present[path]) for path in wrong)


def _lacks_share(entry: Mapping[str, Any]) -> bool:
    """Whether it names a choice of traps that has no density of its own, and states none."""
    which, share = _value(entry, "traps.which"), _value(entry, "traps.share")
    return share is None and which in typing.get_args(spec_module.TrapChoice) and which != "busiest"


def _touches(path: str, broken: set[str]) -> bool:
    return any(path == other or path.startswith(f"{other}.") or other.startswith(f"{path}.") for other in broken)


def _value(entry: Mapping[str, Any], path: str) -> Any:
    value: Any = entry
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value
