"""Specifications of one's own in files: TOML read and written, polygons from GeoJSON."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from edgebench.errors import EdgeBenchError
from edgebench.paths import is_folder_name
from edgebench.registry import REGISTERED
from edgebench.spec import OWN_DEFAULTS, RegionSpec
from edgebench.spec_check import LEAST_NODES, check_spec

Point = tuple[float, float]
Ring = tuple[Point, ...]

_NOT_OWN: Final = ("family", "cross_domain", "network_of")
"""Keys the benchmark's own regions have."""
_MAX_BYTES: Final = 64 * 2**20


@dataclass(frozen=True)
class OwnSpec:
    """A specification of one's own.

    Attributes:
        spec: What the region is to be, of the family `own`.
        files: The files its values came from, by key: `polygon`.
        remarks: What was decided on the user's behalf.
    """

    spec: RegionSpec
    files: Mapping[str, Path]
    remarks: tuple[str, ...] = ()


def own_spec(given: Mapping[str, Any], path: Path | None = None) -> OwnSpec:
    """The specification of a region of one's own.

    Args:
        given: Keys of `edgebench.spec.RegionSpec`; they go before those of the file. `polygon` may be a GeoJSON file.
        path: A TOML file with the same keys; files it names are looked for beside it, and its own name is the
            region's where it has no `name`.

    Raises:
        EdgeBenchError: A file cannot be read, or with all errors of the specification.
    """
    stated = _read_toml(path) if path else {}
    entry = {**OWN_DEFAULTS, **stated}
    for key, value in given.items():
        table = isinstance(value, dict) and isinstance(entry.get(key), dict)
        entry[key] = {**entry[key], **value} if table else value
    if "mean_degree" not in {*stated, *given}:
        entry["mean_degree"] = _usual_degree(entry.get("nodes"))
    name = entry.get("name")
    entry.setdefault("title", name if isinstance(name, str) and is_folder_name(name) else "a region")
    files: dict[str, Path] = {}
    remarks: tuple[str, ...] = ()
    if isinstance(entry.get("polygon"), str):
        files["polygon"] = Path(entry["polygon"])
        entry["polygon"], remarks = read_ring(files["polygon"])
    if "bbox" not in entry and _is_numeric_ring(entry.get("polygon")):
        entry["bbox"] = _box(entry["polygon"])
    where = str(path) if path else "the options"
    _refuse_keys([key for key in _NOT_OWN if key in entry], where)
    return OwnSpec(check_spec(entry | {"family": "own"}, where=where, taken=REGISTERED), files, remarks)


def _usual_degree(nodes: Any) -> float:
    """The mean degree where none is stated, or as much of it as so few nodes can have."""
    usual = float(OWN_DEFAULTS["mean_degree"])
    return min(usual, nodes - 1.0) if type(nodes) is int and nodes >= LEAST_NODES else usual


def _refuse_keys(keys: list[str], where: str) -> None:
    if keys:
        raise EdgeBenchError(
            f"{' and '.join(keys)}: for the benchmark's own regions alone", where=where, mend="leave it out"
        )


def _read_toml(path: Path) -> dict[str, Any]:
    """The keys of a TOML file; a relative path in it is taken from the file's folder."""
    try:
        entry = {"name": path.stem, **tomllib.loads(_text(path))}
    except (ValueError, RecursionError) as error:  # also of numbers and nesting beyond Python's limits
        raise EdgeBenchError(f"no TOML: {error}", where=str(path), mend="docs/regions.md has an example") from error
    if isinstance(entry.get("polygon"), str):
        entry["polygon"] = str(path.parent / entry["polygon"])
    workload = entry.get("workload")
    if isinstance(workload, dict) and isinstance(workload.get("tokens"), str):
        entry["workload"] = {**workload, "tokens": str(path.parent / workload["tokens"])}
    return entry


def _text(path: Path) -> str:
    if not path.is_file():
        raise EdgeBenchError("there is no such file", where=str(path), mend="give the path of a TOML or GeoJSON file")
    if path.stat().st_size > _MAX_BYTES:
        raise EdgeBenchError(f"larger than {_MAX_BYTES:,} bytes", where=str(path))
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise EdgeBenchError("not UTF-8 text", where=str(path), mend="save it as UTF-8") from error


def to_toml(spec: RegionSpec) -> str:
    """`spec` as a TOML file that `own_spec` reads; an inline table for each part."""
    entry = {key: value for key, value in asdict(spec).items() if key not in _NOT_OWN}
    return "".join(f"{key} = {_toml(value)}\n" for key, value in entry.items() if value is not None)


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        inner = ", ".join(f"{key} = {_toml(part)}" for key, part in value.items() if part is not None)
        return f"{{ {inner} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value, ensure_ascii=False)


def read_ring(path: Path) -> tuple[Ring, tuple[str, ...]]:
    """The ring of a GeoJSON file as (lon, lat) in degrees, open, and remarks on what was left out of it.

    The file holds a Polygon or a MultiPolygon, alone or as the only Feature of a collection; of several parts the
    largest is taken, holes are left out.

    Raises:
        EdgeBenchError: The file holds something else.
    """
    try:
        parts = list(_parts(json.loads(_text(path)), path))
        rings = [tuple(_point(position) for position in part[0]) for part in parts]
    except (ValueError, TypeError, LookupError, ArithmeticError, RecursionError) as error:
        raise _no_polygon(path, f"{type(error).__name__}: {error}") from error
    if not rings or not all(rings):
        raise _no_polygon(path, "it is empty")
    largest = max(range(len(rings)), key=lambda index: _area(rings[index]))
    left_out = (
        (len(parts) - 1, "smaller parts of the polygon are left out"),
        (len(parts[largest]) - 1, "holes of the polygon are left out"),
    )
    ring = rings[largest]
    open_ring = ring[:-1] if len(ring) > 1 and ring[0] == ring[-1] else ring
    return open_ring, tuple(f"{path.name}: {count} {what}" for count, what in left_out if count)


def _parts(shape: Any, path: Path) -> Iterator[list[Any]]:
    """The polygons of a shape, each a list of rings with the outer one first."""
    kind = shape["type"]
    if kind == "FeatureCollection":
        if len(shape["features"]) != 1:
            raise _no_polygon(path, f"it holds {len(shape['features'])} features, one is wanted")
        yield from _parts(shape["features"][0], path)
    elif kind == "Feature":
        yield from _parts(shape["geometry"], path)
    elif kind in ("Polygon", "MultiPolygon"):
        yield from [shape["coordinates"]] if kind == "Polygon" else shape["coordinates"]
    else:
        raise _no_polygon(path, f"it holds a {kind}")


def _point(position: Any) -> Point:
    lon, lat = (float(degrees) for degrees in position[:2])
    return lon, lat


def _area(ring: Ring) -> float:
    """Twice the area in square degrees."""
    after = (*ring[1:], ring[0])
    return abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, after, strict=True)))


def _no_polygon(path: Path, what: str) -> EdgeBenchError:
    return EdgeBenchError(
        f"no polygon in GeoJSON: {what}", where=str(path), mend="give a Polygon or MultiPolygon, or one Feature of it"
    )


def _is_numeric_ring(ring: Any) -> bool:
    numeric: Callable[[Any], bool] = lambda point: (  # noqa: E731
        isinstance(point, list | tuple) and len(point) == 2 and all(isinstance(x, int | float) for x in point)
    )
    return isinstance(ring, list | tuple) and bool(ring) and all(map(numeric, ring))


def _box(ring: Ring) -> tuple[float, float, float, float]:
    lons, lats = zip(*ring, strict=True)
    return min(lons), min(lats), max(lons), max(lats)
