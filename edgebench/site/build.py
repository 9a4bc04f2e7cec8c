"""Write the site: into a folder of its own, whole or not at all."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edgebench import __version__
from edgebench.atomic import atomic_folder
from edgebench.errors import EdgeBenchError
from edgebench.site import links
from edgebench.site.extra import need_libraries, plotly_script
from edgebench.site.maps import FindSites
from edgebench.site.pages import Page, Site, Table
from edgebench.site.templating import render
from edgebench.site.world import Report, World, read_world

MARK: Final = "edgebench-site.json"
"""The file by which a folder is known as a site that may be replaced."""
_MADE_BY: Final = "edgebench leaderboard --html"
_STATIC: Final = Path(__file__).with_name("static")


@dataclass(frozen=True)
class Written:
    """What was written: the folder, its pages, all its bytes, and what could not be shown."""

    folder: Path
    pages: int
    bytes: int
    notes: list[str]


def write_site(target: Path, report: Report, sites: FindSites) -> Written:
    """Render everything on disk into `target`, in place of the site that is there.

    The same files give the same bytes. The pages ask no one for anything and open from a file.

    Args:
        target: A folder that does not exist, is empty, or holds a site made by this function.
        report: Told what is being done.
        sites: Finds the sites of a region's cells for its map.

    Raises:
        EdgeBenchError: A library of the extra `site` is missing, `target` holds anything else, or a board is damaged.
    """
    need_libraries("the site")
    refuse_foreign(target)
    world = read_world(report)
    site = Site.of(world, sites)
    with atomic_folder(target.resolve()) as folder:
        _copy_static(folder, with_maps=bool(world.regions))
        for done, file in enumerate(site.files()):
            report(file.place, done, len(site))
            _write(folder / file.place, file, world)
        mark = {"made_by": _MADE_BY, "version": __version__}
        _write_text(folder / MARK, json.dumps(mark, indent=2) + "\n")
        files = [path for path in folder.rglob("*") if path.is_file()]
        size = sum(path.stat().st_size for path in files)
    return Written(target, sum(path.suffix == ".html" for path in files), size, world.notes)


def refuse_foreign(target: Path) -> None:
    """Raise EdgeBenchError where writing to `target` would destroy what is no site of ours."""
    if not target.exists():
        return
    if target.is_dir() and (_is_ours(target / MARK) or not any(target.iterdir())):
        return
    raise EdgeBenchError(
        "this is no site made here, and not empty", where=str(target), mend="give a new folder: --html site"
    )


def _is_ours(mark: Path) -> bool:
    try:
        told = json.loads(mark.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(told, dict) and told.get("made_by") == _MADE_BY


def _copy_static(folder: Path, *, with_maps: bool) -> None:
    target = folder / links.STATIC
    target.mkdir()
    for path in sorted(_STATIC.iterdir()):
        if path.is_file():
            shutil.copyfile(path, target / path.name)
    if with_maps:
        shutil.copyfile(plotly_script(), target / "plotly.min.js")


def _write(path: Path, file: Page | Table, world: World) -> None:
    path.parent.mkdir(exist_ok=True)
    if isinstance(file, Table):
        _write_text(path, file.text)
        return
    has = {"total": world.totals, "cross_domain": world.cross_domain, "regions": world.regions}
    shared = {f"has_{name}": bool(found) for name, found in has.items()}
    _write_text(path, render(file.template, file.place, **shared, **file.values))


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
