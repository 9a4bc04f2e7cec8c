"""`edgebench diff`: what changed between two built regions, or two dumps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgebench.cli.common import json_option, print_json, stdout, table, verb
from edgebench.errors import EdgeBenchError

if TYPE_CHECKING:
    from edgebench.region import Region


@verb("edgebench diff sample/s1 ocid-202603/s1")
@click.argument("first")
@click.argument("second")
@json_option
def command(first: str, second: str, as_json: bool) -> None:
    """Tell what changed from FIRST to SECOND: REGION (of the sample edition), EDITION/REGION, a folder, or a dump.

    Nodes are the same where they stand on one spot, and moved where they are each other's nearest within 10 km. Of two
    files of cells, gz or plain, it tells which cells are gone, new and moved.
    """
    if Path(first).is_file() and Path(second).is_file():
        _diff_dumps(Path(first), Path(second), as_json)
    else:
        _diff_regions(first, second, as_json)


def _diff_dumps(first: Path, second: Path, as_json: bool) -> None:
    from builders.compare_cells import compare_cells

    found = compare_cells(first, second)
    if as_json:
        print_json(found)
        return
    console = stdout()
    for file in found["files"]:
        console.print(f"{file['file']}: {file['cells']:,} cells", soft_wrap=True)
    columns = ("radio", "both", "gone", "new", "moved")
    console.print(table("cells", columns, [tuple(str(row[name]) for name in columns) for row in found["changes"]]))
    if found["changes"][0]["moved"]:
        ways = ", ".join(f"{name} {metres:,.0f}" for name, metres in found["moved_m"].items())
        console.print(f"metres moved, quantiles: {ways}", soft_wrap=True)


def _diff_regions(first: str, second: str, as_json: bool) -> None:
    from edgebench.compare import compare_regions

    found = compare_regions(find_region(first), find_region(second))
    if as_json:
        print_json(found)
        return
    console = stdout()
    for title, columns, rows in _tables(found):
        if rows:
            console.print(table(title, columns, rows))
    console.print("the same tables" if found["same"] else "the tables differ")


def find_region(text: str) -> Region:
    """The region that `text` names: REGION, EDITION/REGION, else the folder of one.

    Raises:
        EdgeBenchError: There is none, or it is damaged.
    """
    from edgebench.archive import is_safe_name
    from edgebench.paths import processed_dir
    from edgebench.region import read_region
    from edgebench.registry import SAMPLE_EDITION

    parts = text.split("/")
    if len(parts) < 3 and all(map(is_safe_name, parts)):
        folder = processed_dir(parts[-1], parts[0] if len(parts) == 2 else SAMPLE_EDITION)
        if (folder / "manifest.json").is_file():
            return read_region(folder)
    if (Path(text) / "manifest.json").is_file():
        return read_region(Path(text))
    is_dump = Path(text).is_file()
    raise EdgeBenchError(
        f"{text!r} is a file and the other is none" if is_dump else f"no built region {text!r}",
        mend="give two files of cells, or two regions"
        if is_dump
        else "name REGION, EDITION/REGION or the folder of a region; edgebench list regions tells what is built",
    )


Titled = tuple[str, tuple[str, ...], list[tuple[str, ...]]]


def _tables(found: dict[str, Any]) -> Iterator[Titled]:
    pair = ("", "first", "second")
    yield "regions", pair, [(key, *(_short(value) for value in values)) for key, values in found["about"].items()]
    for title in ("spec", "source"):
        yield f"{title}, where it differs", pair, _changed(found[title])
    yield "rows", pair, [(name, *map(str, counts)) for name, counts in found["rows"].items()]
    kinds = ("removed", "added", "moved", "changed")
    parts = ("nodes", "links", "traps", "instances")
    rows = [(part, *(_count(found[part].get(kind)) for kind in kinds)) for part in parts]
    rows += [
        (f"{split} tasks", str(tasks["removed"]), str(tasks["added"]), "", str(tasks["changed"]))
        for split, tasks in found["tasks"].items()
    ]
    yield "changes", ("", *kinds), rows
    yield "statistics", pair, _changed(found["statistics"])


def _changed(pairs: dict[str, list[Any]]) -> list[tuple[str, ...]]:
    return [(key, *(_short(value) for value in values)) for key, values in pairs.items()]


def _short(value: Any) -> str:
    text = "-" if value is None else str(value)
    return text if len(text) <= 24 else f"{text[:16]}…"


def _count(found: Any) -> str:
    """Entries of a list, or the sum of a model's counts; empty where the kind does not apply."""
    if found is None:
        return ""
    return str(sum(found.values()) if isinstance(found, dict) else len(found))
