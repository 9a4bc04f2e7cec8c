"""What changed between two built regions, node by node: the raw data moves on, and so does the builder."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from edgebench.region import Region
from edgebench.schema import LINKS, SPLITS, TABLES

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOVED_KM: Final = 10.0
"""Nodes further apart than this are not the same node."""
_EARTH_KM: Final = 6371.0088
_NODE_FACTS: Final = ("compute", "storage_gb", "price", "sites", "cells", "gsm", "umts", "lte", "nr")
_LINK_FACTS: Final = ("distance_km", "latency_ms", "bandwidth_mbps")
_TRAP_FACTS: Final = ("is_trap", *(name for name in LINKS.names if name.startswith("trap_")))
_HEAD: Final = ("region", "edition", "builder_version", "seed", "digest")

Rows = list[dict[str, Any]]
Names = Mapping[int, int]
"""Node of the first region to the same node of the second."""


def compare_regions(first: Region, second: Region) -> dict[str, Any]:
    """What differs from `first` to `second`, as plain JSON values.

    Nodes are the same where they stand on one spot; of the others, two that are each other's nearest within
    `MOVED_KM` are one node that moved. Links, instances and tasks are compared after nodes are so identified.

    Returns:
        `same` (digests agree), `about`, `spec`, `source` and `statistics` (key to the pair of values; `spec` and
        `source` only where they differ), `rows` (table to the pair of counts), `nodes`, `links`, `traps`,
        `instances`, `tasks`. Node and link lists name nodes by their number in the region that has them; those of
        both name them as in `second`.
    """
    a, b = first.manifest, second.manifest
    moved = _moved(first, second)
    names = {**_on_one_spot(first, second), **{move["first"]: move["second"] for move in moved}}
    links = _Links(first, second, names)
    return {
        "same": first.digest == second.digest,
        "about": {key: [a.get(key), b.get(key)] for key in _HEAD},
        "spec": _different(a.get("spec"), b.get("spec")),
        "source": _different(a.get("source"), b.get("source")),
        "rows": {name: [first.tables[name].num_rows, second.tables[name].num_rows] for name in TABLES},
        "nodes": _nodes(first, second, names, moved),
        "links": links.changes(),
        "traps": links.trap_changes(),
        "instances": _instances(first, second, names),
        "tasks": _tasks(first, second, names),
        "statistics": _pairs(a.get("statistics"), b.get("statistics")),
    }


def _rows(region: Region, table: str) -> Rows:
    rows: Rows = region.tables[table].to_pylist()
    return rows


def _flat(value: Any, prefix: str = "") -> dict[str, Any]:
    """`{"a": {"b": 1}}` as `{"a.b": 1}`."""
    if not isinstance(value, dict):
        return {prefix: value} if prefix else {}
    flat: dict[str, Any] = {}
    for key, inner in value.items():
        flat |= _flat(inner, f"{prefix}.{key}" if prefix else str(key))
    return flat


def _pairs(first: Any, second: Any) -> dict[str, list[Any]]:
    a, b = _flat(first), _flat(second)
    return {key: [a.get(key), b.get(key)] for key in dict.fromkeys([*a, *b])}


def _different(first: Any, second: Any) -> dict[str, list[Any]]:
    return {key: pair for key, pair in _pairs(first, second).items() if pair[0] != pair[1]}


def _spots(region: Region) -> dict[tuple[float, float, int], int]:
    """Place of a node, with a count for those that share one, to its number."""
    seen: Counter[tuple[float, float]] = Counter()
    spots = {}
    for row in _rows(region, "nodes"):
        place = (row["lat"], row["lon"])
        spots[(*place, seen[place])] = int(row["node_id"])
        seen[place] += 1
    return spots


def _on_one_spot(first: Region, second: Region) -> dict[int, int]:
    a, b = _spots(first), _spots(second)
    return {a[spot]: b[spot] for spot in a if spot in b}


def _moved(first: Region, second: Region) -> Rows:
    """Nodes without a twin on their spot that are each other's nearest within `MOVED_KM`."""
    from scipy.spatial import cKDTree

    a, b = _spots(first), _spots(second)
    left = [(spot, number) for spot, number in a.items() if spot not in b]
    right = [(spot, number) for spot, number in b.items() if spot not in a]
    if not left or not right:
        return []
    here, there = _on_sphere(spot for spot, _ in left), _on_sphere(spot for spot, _ in right)
    chord, found = cKDTree(there).query(here)
    nearest, back = np.asarray(found), np.asarray(cKDTree(here).query(there)[1])
    km = 2.0 * _EARTH_KM * np.arcsin(np.minimum(chord / 2.0, 1.0))
    return [
        {"first": left[i][1], "second": right[j][1], "km": round(float(km[i]), 3)}
        for i, j in enumerate(nearest.tolist())
        if back[j] == i and km[i] <= MOVED_KM
    ]


def _on_sphere(spots: Iterable[tuple[float, float, int]]) -> NDArray[np.float64]:
    """Unit vectors, (N, 3): a chord grows with the distance, at the date line as elsewhere."""
    lat, lon = np.radians(np.array([spot[:2] for spot in spots])).T
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)


def _nodes(first: Region, second: Region, names: Names, moved: Rows) -> dict[str, Any]:
    a = {row["node_id"]: row for row in _rows(first, "nodes")}
    b = {row["node_id"]: row for row in _rows(second, "nodes")}
    kept = set(names.values())
    changed = [
        {"first": old, "second": new, **_different_facts(a[old], b[new], _NODE_FACTS)} for old, new in names.items()
    ]
    return {
        "removed": [number for number in a if number not in names],
        "added": [number for number in b if number not in kept],
        "moved": moved,
        "changed": [change for change in changed if len(change) > 2],
    }


def _different_facts(a: dict[str, Any], b: dict[str, Any], facts: Iterable[str]) -> dict[str, list[Any]]:
    return {name: [a[name], b[name]] for name in facts if a[name] != b[name]}


class _Links:
    """The links of two regions, known by the nodes they join."""

    def __init__(self, first: Region, second: Region, names: Names) -> None:
        self.a = _rows(first, "links")
        b = {_ends(row["src"], row["dst"]): row for row in _rows(second, "links")}
        ends = [
            _ends(names[row["src"]], names[row["dst"]]) if row["src"] in names and row["dst"] in names else None
            for row in self.a
        ]
        self.removed = [row for row, pair in zip(self.a, ends, strict=True) if pair is None or pair not in b]
        self.kept = {pair: (row, b[pair]) for row, pair in zip(self.a, ends, strict=True) if pair in b}
        self.added = [row for pair, row in b.items() if pair not in self.kept]

    def changes(self) -> dict[str, Any]:
        """Links that went, came, or changed in length, latency or bandwidth."""
        return {
            "removed": [[row["src"], row["dst"]] for row in self.removed],
            "added": [[row["src"], row["dst"]] for row in self.added],
            "changed": self._changed(_LINK_FACTS),
        }

    def trap_changes(self) -> dict[str, Any]:
        """Trap links that went or came with their link, and links that are traps no more, now, or otherwise."""
        return {
            "removed": [[row["src"], row["dst"]] for row in self.removed if row["is_trap"]],
            "added": [[row["src"], row["dst"]] for row in self.added if row["is_trap"]],
            "changed": self._changed(_TRAP_FACTS),
        }

    def _changed(self, facts: Iterable[str]) -> Rows:
        changed = [
            {"src": pair[0], "dst": pair[1], **_different_facts(a, b, facts)} for pair, (a, b) in self.kept.items()
        ]
        return [change for change in changed if len(change) > 2]


def _ends(one: int, other: int) -> tuple[int, int]:
    return (one, other) if one < other else (other, one)


def _instances(first: Region, second: Region, names: Names) -> dict[str, Any]:
    """Where each model stands: of those on other nodes, as many moved as stand elsewhere, the rest came or went."""
    a, b = _placed(first, lambda node: names.get(node, -1 - node)), _placed(second, lambda node: node)
    moved: dict[str, int] = {}
    removed: dict[str, int] = {}
    added: dict[str, int] = {}
    for model in dict.fromkeys([*a, *b]):
        gone, come = (a[model] - b[model]).total(), (b[model] - a[model]).total()
        both = min(gone, come)
        for where, count in ((moved, both), (removed, gone - both), (added, come - both)):
            if count:
                where[model] = count
    return {"moved": moved, "removed": removed, "added": added}


def _placed(region: Region, name: Any) -> dict[str, Counter[int]]:
    placed: dict[str, Counter[int]] = defaultdict(Counter)
    for row in _rows(region, "instances"):
        placed[row["model_id"]][name(row["node_id"])] += 1
    return placed


def _tasks(first: Region, second: Region, names: Names) -> dict[str, Any]:
    """For each split: tasks of one region alone by their number, those that differ, and in which columns."""
    result = {}
    for split in SPLITS:
        a = {row["task_id"]: row for row in first.task_table(split).to_pylist()}
        b = {row["task_id"]: row for row in second.task_table(split).to_pylist()}
        columns: Counter[str] = Counter()
        changed = 0
        for number in a.keys() & b.keys():
            row = {**a[number], "node_id": names.get(a[number]["node_id"], -1)}
            different = _different_facts(row, b[number], row)
            columns.update(different.keys())
            changed += bool(different)
        result[split] = {
            "removed": len(a.keys() - b.keys()),
            "added": len(b.keys() - a.keys()),
            "changed": changed,
            "columns": dict(sorted(columns.items())),
        }
    return result
