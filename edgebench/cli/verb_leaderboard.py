"""`edgebench leaderboard`: all entries, ranked."""

from __future__ import annotations

import dataclasses
from collections import Counter
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from edgebench.cli.common import (
    edition_option,
    json_option,
    print_json,
    progress,
    stderr,
    stdout,
    table,
    track_option,
    verb,
)
from edgebench.cli.values import REGIONS, Existing
from edgebench.errors import EdgeBenchError

if TYPE_CHECKING:
    from edgebench.leaderboard.board import Entry, RankedTable
    from edgebench.region import Region
    from edgebench.site.maps import Sites
    from edgebench.track import Metric

_OWN: Final = " (this run)"
_FRONT: Final = ("#", "agent", "score", "95 % interval")
_FIGURES: Final = 1
"""How many of a track's figures fit 80 columns; the written tables hold the rest."""


@verb("edgebench leaderboard --regions s1 --run runs/my_agent")
@track_option
@edition_option
@click.option("--regions", type=REGIONS, help="Only print, scored on these alone: s1,s2.")
@click.option(
    "--run",
    "runs",
    type=Existing(file_okay=False),
    multiple=True,
    help="Only print the table of this run, with it among the entries; may be repeated.",
)
@click.option(
    "--paste", type=Existing(dir_okay=False), help="Also renew the first table between the marks of this file."
)
@click.option(
    "--rliable", type=click.Path(path_type=Path), help="Also write the first table's scores as JSON for rliable."
)
@click.option("--total", is_flag=True, help="All tracks: who is good at what.")
@click.option("--radar", type=click.Path(path_type=Path), help="With --total: also draw its radar plot.")
@click.option("--html", type=click.Path(path_type=Path), help="Only write the site of all boards, agents and regions.")
@json_option
def command(
    track: str, edition: str, regions: str | None, runs: tuple[Path, ...], paste: Path | None, rliable: Path | None,
    total: bool, radar: Path | None, html: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Rank the entries of a board and write its leaderboard.csv and leaderboard.md.

    Entries of other versions, scenarios or data stand in tables of their own.

    --html site renders everything on disk, all tracks and editions, as pages that open offline from a file; it needs
    the extra edgebench[site].
    """
    of_one_board = bool(runs) or any(option is not None for option in (regions, paste, rliable))
    if html is not None:
        if total or of_one_board or radar is not None:
            raise EdgeBenchError("--html shows everything there is", mend="leave the other options out")
        _write_site(html, as_json)
    elif total:
        if of_one_board:
            raise EdgeBenchError("--total is of all tracks and regions", mend="leave --regions and the like out")
        _total(edition, radar, as_json)
    elif radar is not None:
        raise EdgeBenchError("--radar is of all tracks", mend="give --total with it")
    else:
        _board(track, edition, regions, runs, paste, rliable, as_json)


def _board(
    track: str, edition: str, regions: str | None, runs: tuple[Path, ...], paste: Path | None, rliable: Path | None,
    as_json: bool,
) -> None:  # fmt: skip
    from edgebench.atomic import write_text
    from edgebench.leaderboard.board import rank
    from edgebench.leaderboard.ledger import still
    from edgebench.leaderboard.page import as_records, as_rliable, write_board
    from edgebench.leaderboard.page import paste as paste_table
    from edgebench.paths import boards_dir

    writes = regions is None and not runs and boards_dir().is_dir()
    with still(boards_dir()) if writes else nullcontext():
        tables = rank(_entries(track, edition, regions, runs))
        if runs:
            tables = [ranked for ranked in tables if any(_is_own(entry) for _, entry in ranked.rows)]
        if not tables:
            raise EdgeBenchError(
                f"the board of {track}, edition {edition}, has no entries", mend="edgebench submit --help"
            )
        written = write_board(tables, track, edition) if writes else ()
    if as_json:
        print_json(as_records(tables))
    else:
        _print(tables)
    for path in written:
        stderr().print(f"wrote {path}", soft_wrap=True, markup=False)
    if paste is not None:
        paste_table(tables[0], paste)
    if rliable is not None:
        write_text(rliable, as_rliable(tables[0]))
        stderr().print(f"wrote {rliable}", soft_wrap=True, markup=False)


def _write_site(target: Path, as_json: bool) -> None:
    from edgebench.site.build import write_site

    with progress("files") as report:
        written = write_site(target, report, _cell_sites)
    for note in written.notes:
        stderr().print(f"not shown: {note}", soft_wrap=True, markup=False)
    told = f"wrote {target / 'index.html'}: {written.pages} pages, {written.bytes / 1e6:.1f} MB"
    stderr().print(told, soft_wrap=True, markup=False)
    if as_json:
        print_json({**dataclasses.asdict(written), "folder": str(target)})


def _cell_sites(region: Region) -> Sites | None:
    """The sites of the bundled sample's cells; the builders alone can read them."""
    from builders.cell_sites import sites_of
    from edgebench.site.maps import Sites

    found = sites_of(region)
    return None if found is None else Sites(*(found[name].to_numpy() for name in ("lon", "lat", "cells")))


def _total(edition: str, radar: Path | None, as_json: bool) -> None:
    from edgebench.leaderboard.total import read_total, total_records
    from edgebench.leaderboard.total_page import draw_radar, write_total

    entrants = read_total(edition)
    if not entrants:
        raise EdgeBenchError(
            f"no entrant stands on several boards of edition {edition}", mend="edgebench submit --help"
        )
    if radar is not None:
        draw_radar(entrants, radar)
    written = write_total(entrants, edition)
    records = total_records(entrants)
    if as_json:
        print_json(records)
    else:
        stdout().print(_total_table(edition, records))
    for path in written if radar is None else (*written, radar):
        stderr().print(f"wrote {path}", soft_wrap=True, markup=False)


def _total_table(edition: str, records: list[dict[str, Any]]) -> Any:
    from edgebench.registry import TRACKS

    names = ("total", *TRACKS)
    rows = [
        [_plain(record["rank"], 0), record["entrant"], *(_plain(record[name], 3) for name in names)]
        for record in records
    ]
    return table(f"all tracks, edition {edition}", ("#", "entrant", *names), rows, texts=2)


def _plain(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:z.{digits}f}"


def _entries(track: str, edition: str, regions: str | None, runs: tuple[Path, ...]) -> list[Entry]:
    from edgebench.leaderboard.board import read_board, read_entry
    from edgebench.leaderboard.rules import one_family
    from edgebench.registry import wanted_regions

    wanted = None if regions is None else wanted_regions(regions, edition)
    if wanted is not None:
        one_family(wanted, edition)
    entries = read_board(track, edition, wanted)
    own = {run: read_entry(run, "", wanted) for run in runs}
    count = Counter(entry.agent["name"] for entry in own.values())
    for run, entry in own.items():
        agent = entry.agent["name"]
        named = agent if count[agent] == 1 else f"{agent}, {run}"
        entries.append(dataclasses.replace(entry, name=f"{named}{_OWN}"))
    return entries


def _is_own(entry: Entry) -> bool:
    return entry.name.endswith(_OWN)


def _print(tables: list[RankedTable]) -> None:
    from edgebench.leaderboard.page import shown

    for ranked in tables:
        shared = ranked.conditions
        where = "+".join(name for name, _ in shared.regions)
        title = f"{shared.track} · {shared.scenario}, {shared.split}, edition {shared.edition}, regions {where}"
        figures = shown(shared.track)[:_FIGURES]
        rows = [_cells(place, entry, figures) for place, entry in ranked.rows]
        bold = [index for index, (_, entry) in enumerate(ranked.rows) if _is_own(entry)]
        columns = (*_FRONT, *(figure.heading for figure in figures), "failed", "status")
        stdout().print(table(title, columns, rows, texts=2, bold=bold))


def _cells(place: int | None, entry: Entry, figures: list[Metric]) -> list[str]:
    from edgebench.leaderboard.page import cell_of

    total, failed = entry.summary.total, len(entry.episodes) - entry.summary.total.statuses["ok"]
    score = [f"{total.score.value:z.3f}", f"{total.score.low:z.3f}–{total.score.high:z.3f}"]
    rank = "–" if place is None else str(place)
    values = [cell_of(figure, total.means[figure.name]) for figure in figures]
    return [rank, entry.label, *score, *values, str(failed), str(entry.status)]
