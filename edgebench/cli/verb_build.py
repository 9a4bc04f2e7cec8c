"""`edgebench build`: cells in, regions out."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import click

from edgebench.cli.common import facts, json_option, print_json, progress, region_tables, stderr, stdout, verb
from edgebench.cli.values import REGISTERED_REGIONS, Existing, Name, split_names
from edgebench.errors import EdgeBenchError
from edgebench.spec import (
    ArrivalProcess,
    LinkMethod,
    NodeMethod,
    PlacementMethod,
    RegionSpec,
    TrapBehaviour,
    TrapChoice,
    WorkflowShape,
)

_FILE = Existing(dir_okay=False)


@dataclass(frozen=True)
class _Order:
    """One region to build."""

    spec: RegionSpec
    cells: Path | None
    edition: str
    seed: int
    files: Mapping[str, Path] = field(default_factory=dict)


def _own_options(function: Callable[..., None]) -> Callable[..., None]:
    """The options that describe a region of one's own; their names are the keys of a specification."""
    for option in reversed(_OWN):
        function = option(function)
    return function


def _method(option: str, key: str, known: Any, about: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """An option for one of the names of a `Literal` of `edgebench.spec`, the first of which is the default.

    The check of the specification tells a wrong one, with all else that is wrong.
    """
    names: tuple[str, ...] = get_args(known)
    told = ", ".join(names[1:])
    return click.option(
        option, key, type=Name("method", lambda ctx: names), help=f"{about}: {names[0]} (default), {told}."
    )


_OWN = (
    click.option("--name", help="A region of your own, in file-name letters."),
    click.option("--spec", "path", type=_FILE, help="Its specification, a TOML file (docs/regions.md)."),
    click.option("--mcc", metavar="CODES", help="Mobile country codes: 228, or 234,235."),
    click.option("--nets", metavar="CODES", help="Mobile network codes kept.  [default: all with a fair share]"),
    click.option("--bbox", metavar="W,S,E,N", help="Least and most longitude and latitude: 7.3,46.9,7.6,47.0."),
    click.option("--polygon", type=click.Path(), help="GeoJSON file: keeps the cells within; gives the bbox."),
    click.option("--nodes", type=int, help="Edge servers."),
    click.option("--compute", metavar="MIN,MAX,MEAN", help="Compute units of a node.  [default: 16,54,34.6]"),
    click.option("--storage", "storage_gb", metavar="MIN,MAX,MEAN", help="GB of a node.  [default: 16,34,25.3]"),
    click.option("--mean-degree", type=float, help="Links a node.  [default: 3.2]"),
    _method("--nodes-by", "nodes_by", NodeMethod, "How nodes are chosen"),
    _method("--links-by", "links_by", LinkMethod, "How they are linked"),
    _method("--placement", "placement", PlacementMethod, "How models are placed"),
    _method("--traps", "traps_which", TrapChoice, "Which links are traps"),
    click.option("--trap-share", "traps_share", type=float, help="Share of the links that are traps."),
    _method("--trap-behaviour", "traps_behaviour", TrapBehaviour, "What traps do"),
    _method("--arrivals", "workload_arrivals", ArrivalProcess, "When tasks arrive"),
    _method("--workflow", "workload_workflow", WorkflowShape, "What a task consists of"),
    click.option("--experts", "workload_experts", type=int, help="Model types, 3 (default) to 64."),
    click.option("--tokens", "workload_tokens", type=click.Path(), help="BurstGPT CSV: its lengths are drawn."),
)


@verb("edgebench build --name bern --mcc 228 --bbox 7.3,46.9,7.6,47.0 --nodes 40 --cells 228.csv.gz --edition mine")
@click.option("--region", "regions", type=REGISTERED_REGIONS, multiple=True, help="s1, or s1,trap500; may be repeated.")
@click.option("--all", "every", is_flag=True, help="Build s1 to s4.")
@_own_options
@click.option("--write-spec", type=click.Path(path_type=Path), help="Also write the specification, as TOML.")
@click.option(
    "--cells", type=_FILE, help="OpenCellID or MLS file, gz or plain.  [default: the sample; your own region: raw/]"
)
@click.option("--edition", help="Name of the raw data.  [default: sample; with other cells: cells]")
@click.option("--seed", default=0, show_default=True, help="Seed of every hashed draw.")
@click.option("--force", is_flag=True, help="Build again what is built already.")
@json_option
def command(
    regions: tuple[str, ...],
    every: bool,
    path: Path | None,
    write_spec: Path | None,
    cells: Path | None,
    edition: str | None,
    seed: int,
    force: bool,
    as_json: bool,
    **own: Any,
) -> None:
    """Build regions: cells, sites, nodes, links, traps, model placements and tasks, as Parquet with a manifest.

    Registered regions by --region or --all; one of your own by --name or --spec, options going before the file.
    """
    given = {key: value for key, value in own.items() if value is not None}
    if bool(regions) + every + bool(given or path) != 1:
        both = bool(regions or every) and bool(given or path)
        raise EdgeBenchError(
            "a registered region takes no options of one's own" if both else "which regions?",
            mend="edgebench build --region s1, or --all, or --name bern with your own, or --spec FILE",
        )
    orders = [_own_order(given, path, cells, edition, seed)] if given or path else []
    orders += [
        _Order(spec, cells, edition or ("cells" if cells else "sample"), seed) for spec in _named(regions, every)
    ]
    if write_spec is not None:
        _write_spec(orders, write_spec)
    built = []
    for order in orders:
        built.append(_build(order, force))
        if not as_json:
            _print(*built[-1])
    if as_json:
        print_json([{**manifest, "seconds": seconds} for manifest, seconds, _ in built])


def _named(regions: tuple[str, ...], every: bool) -> Iterator[RegionSpec]:
    from edgebench.registry import REGIONS, REGISTERED

    wanted = list(REGIONS) if every else split_names(",".join(regions), "region") if regions else []
    yield from (REGISTERED[name] for name in wanted)


def _own_order(given: dict[str, Any], path: Path | None, cells: Path | None, edition: str | None, seed: int) -> _Order:
    from edgebench.spec_file import own_spec

    own = own_spec(_entry(given), path)
    for remark in own.remarks:
        stderr().print(remark, soft_wrap=True, markup=False)
    return _Order(own.spec, cells or _fetched_cells(own.spec), edition or "cells", seed, own.files)


def _entry(given: dict[str, Any]) -> dict[str, Any]:
    """The options as keys of a specification: lists of numbers taken apart, tables put together."""
    entry: dict[str, Any] = {}
    for key, value in given.items():
        table, _, name = key.partition("_")
        if table in ("traps", "workload"):
            entry.setdefault(table, {})[name] = value
        elif key in ("mcc", "nets", "bbox"):
            entry[key] = _numbers(value)
        elif key in ("compute", "storage_gb"):
            numbers = _numbers(value)
            entry[key] = dict(zip(("min", "max", "mean"), numbers, strict=True)) if len(numbers) == 3 else numbers
        else:
            entry[key] = value
    return entry


def _numbers(text: str) -> list[Any]:
    """The numbers of `7.3,46.9`; what is none stays as it is, for the check of the specification to tell."""
    return [_number(part.strip()) for part in text.split(",")]


def _number(part: str) -> Any:
    for kind in (int, float):
        try:
            return kind(part)
        except ValueError:
            continue
    return part


def _fetched_cells(spec: RegionSpec) -> Path:
    """The file in `raw/` with the cells of the region's country, as `edgebench fetch` left it."""
    from builders.download import OPENCELLID_URL, Service
    from builders.fetch import FULL, Fetcher
    from edgebench.paths import raw_dir

    missing = [mcc for mcc in spec.mcc if not (raw_dir() / f"{mcc}.csv.gz").is_file()]
    if missing and (raw_dir() / FULL).is_file():
        return raw_dir() / FULL
    if missing:
        fetch = "; ".join(f"edgebench fetch --mcc {mcc}" for mcc in missing)
        raise EdgeBenchError(
            f"no cells of mcc {', '.join(map(str, missing))} here",
            where=str(raw_dir()),
            mend=f"{fetch}; or give --cells FILE --edition NAME",
        )
    return Fetcher(Service(token="", url=OPENCELLID_URL)).region(spec)


def _write_spec(orders: list[_Order], target: Path) -> None:
    from edgebench.atomic import write_text
    from edgebench.registry import REGISTERED
    from edgebench.spec_file import to_toml

    own = [order.spec for order in orders if order.spec.name not in REGISTERED]
    if not own:
        raise EdgeBenchError("a registered region's specification is registered", where="--write-spec")
    write_text(target, to_toml(own[0]))
    stderr().print(f"wrote {target}", soft_wrap=True, markup=False)


def ensure_built(regions: Iterable[str], edition: str) -> None:
    """Build the registered regions of the sample edition that are not built yet, and say so.

    Raises:
        EdgeBenchError: A region of another edition is not built; the command that builds it is named.
    """
    from edgebench.paths import processed_dir
    from edgebench.registry import REGISTERED, SAMPLE_EDITION, not_built

    for name in regions:
        if (processed_dir(name, edition) / "manifest.json").is_file():
            continue
        if edition != SAMPLE_EDITION or name not in REGISTERED:
            raise not_built(name, edition)
        stderr().print(f"{name} is not built yet: building it from the bundled sample")
        _run_build(_Order(REGISTERED[name], None, edition, 0))


def _build(order: _Order, force: bool) -> tuple[dict[str, Any], float, Path]:
    """Manifest, seconds (0 where it was built already) and folder of one region."""
    from edgebench.paths import processed_dir

    folder = processed_dir(order.spec.name, order.edition)
    if (folder / "manifest.json").is_file() and not force:
        return _already(order), 0.0, folder
    start = time.perf_counter()
    folder = _run_build(order)
    seconds = round(time.perf_counter() - start, 3)
    return json.loads((folder / "manifest.json").read_text(encoding="utf-8")), seconds, folder


def _run_build(order: _Order) -> Path:
    from builders.pipeline import build_region

    with progress("steps") as report:
        return build_region(
            order.spec, cells=order.cells, edition=order.edition, seed=order.seed, files=order.files,
            on_step=lambda step, index, total: report(f"{order.spec.name}: {step}", index, total),
        )  # fmt: skip


def _already(order: _Order) -> dict[str, Any]:
    """The manifest of the region that stands there, if it is the one asked for; it is read and checked in full."""
    from builders.manifest import recorded_spec, sha256_of
    from edgebench.region import load

    manifest = load(order.spec.name, edition=order.edition).manifest
    different = []
    if manifest["seed"] != order.seed:
        different.append(f"seed {manifest['seed']}")
    if manifest.get("spec") != json.loads(json.dumps(recorded_spec(order.spec))):
        different.append("another specification")
    if order.cells is not None and sha256_of(order.cells) != manifest["source"]["sha256"]:
        different.append(f"other cells ({manifest['source']['file']})")
    if different:
        raise EdgeBenchError(
            f"region {order.spec.name!r} of edition {order.edition!r} was built from {' and '.join(different)}",
            mend="give it another --name, or the cells an --edition of their own, or replace the region with --force",
        )
    return manifest


def _print(manifest: dict[str, Any], seconds: float, folder: Path) -> None:
    console = stdout()
    if not seconds:
        stderr().print(
            f"{manifest['region']} is built already (edition {manifest['edition']}); --force builds it again"
        )
    for part in region_tables(manifest):
        console.print(part)
    spent = {"seconds": f"{seconds:.2f}"} if seconds else {}
    console.print(facts({"digest": str(manifest["digest"]), "folder": str(folder), **spent}), soft_wrap=True)
