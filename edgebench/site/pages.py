"""Every page of the site: its place, its template and what the template is given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

from edgebench.card import card_text
from edgebench.leaderboard.page import as_csv, places_label, shown
from edgebench.leaderboard.tags import TAGS
from edgebench.leaderboard.total import Entrant
from edgebench.leaderboard.total_page import DRAWN_AT_MOST
from edgebench.region import Region
from edgebench.registry import DEFAULT_SCENARIO, SCENARIOS, TRACKS
from edgebench.registry import track as find_track
from edgebench.site import links
from edgebench.site.agents import (
    Agent,
    Showing,
    agent_radar,
    agents_of,
    causes,
    command_of,
    episode_table,
    failures,
    manifest_lines,
    tag_scores,
    whiskers,
)
from edgebench.site.curves import curve_of, trained_here
from edgebench.site.inert import web_address
from edgebench.site.maps import FindSites, map_figure
from edgebench.site.pairs import Improvements, board_improvements, board_pairs, improvement_matrix
from edgebench.site.plots import radar, small_map
from edgebench.site.profiles import MOST, profile_chart
from edgebench.site.standings import Scale, Standing, Whisker, standings, whisker
from edgebench.site.status import MEANINGS
from edgebench.site.words import as_html
from edgebench.site.world import Board, CrossBoard, Row, World

_ON_PODIUM: Final = 4
"""Rows of a board on the first page."""
_IN_MATRIX: Final = 12
"""Agents of a board whose probabilities of improvement stand beside each other: the best ones."""


class Page(NamedTuple):
    """A file of the site: its place below the root, the template it is made of, what the template is given."""

    place: str
    template: str
    values: dict[str, Any]


class Table(NamedTuple):
    """A file of the site that is written as it is."""

    place: str
    text: str


@dataclass(frozen=True)
class Site:
    """What pages are made of.

    Attributes:
        world: Everything read.
        sites: Finds the sites of a region's cells.
        agents: Of the boards.
        standings: Of each board, by slug.
        trained: Learning curves of this machine by the digest of their checkpoint.
    """

    world: World
    sites: FindSites
    agents: tuple[Agent, ...]
    standings: Mapping[str, list[Standing]]
    trained: dict[str, Path] = field(default_factory=dict)

    @classmethod
    def of(cls, world: World, sites: FindSites) -> Site:
        """The site of a world."""
        rows = {board.slug: standings(board) for board in world.boards}
        return cls(world, sites, tuple(agents_of(world)), rows, trained_here())

    def __len__(self) -> int:
        """Number of its files but for the static ones."""
        world = self.world
        return (
            2
            + 3 * len(world.boards)
            + sum(map(len, (self.agents, world.runs, world.regions, world.totals, world.cross_domain)))
        )

    def files(self) -> Iterator[Page | Table]:
        """All files, one after the other, each made when it is asked for."""
        world = self.world
        yield _index(self)
        yield _ledger(world)
        yield from (_cross_domain(edition, boards) for edition, boards in world.cross_domain.items())
        yield from (_total(edition, entrants) for edition, entrants in world.totals.items())
        for board in world.boards:
            improvements = board_improvements(board)
            yield _board(self, board, improvements)
            yield Table(links.board_csv(board.slug), as_csv([board.table]))
            yield _compare(board, improvements)
        yield from (_agent(self, agent) for agent in self.agents)
        yield from (_run(self, row) for row in world.runs)
        yield from (_region(self, region) for region in world.regions)


@dataclass(frozen=True)
class TotalLine:
    """A row of the total board as it is shown."""

    entrant: Entrant
    rank: str
    places: str
    order: int
    whisker: Whisker | None


@dataclass(frozen=True)
class Group:
    """The boards of a track and edition on the first page, each with its best rows."""

    track: Any
    edition: str
    boards: list[tuple[Board, list[Standing]]]


def _index(site: Site) -> Page:
    world = site.world
    groups: dict[tuple[str, str], Group] = {}
    for board in world.boards:
        key = (board.conditions.track, board.conditions.edition)
        group = groups.setdefault(key, Group(find_track(key[0]), key[1], []))
        group.boards.append((board, site.standings[board.slug][:_ON_PODIUM]))
    values = {
        "tiles": _index_tiles(site),
        "crossed": [
            (edition, [(one.board, standings(one.board)[:_ON_PODIUM]) for one in boards])
            for edition, boards in world.cross_domain.items()
        ],
        "totals": [(edition, total_lines(entrants)) for edition, entrants in world.totals.items()],
        "tracks": list(TRACKS),
        "groups": list(groups.values()),
        "scenarios": SCENARIOS,
        "regions": [(region, small_map(region)) for region in world.regions],
        "picture": small_map(world.regions[0], 460, 290) if world.regions else None,
        "runs": world.runs,
    }
    return Page(links.INDEX, "index.html.j2", values)


def _index_tiles(site: Site) -> list[tuple[str, str]]:
    rows = [row for board in site.world.boards for row in board.rows]
    return [
        ("boards", f"{len(site.world.boards):,}"),
        ("agents", f"{len(site.agents):,}"),
        ("episodes", f"{sum(len(row.entry.episodes) for row in rows):,}"),
        ("verified rows", f"{sum(row.status == 'verified' for row in rows):,} of {len(rows):,}"),
        ("regions", f"{len(site.world.regions):,}"),
    ]


def total_lines(entrants: Sequence[Entrant]) -> list[TotalLine]:
    """The rows of a total board with their ranks as printed and their intervals on one scale."""
    scale = Scale.around([entrant.total for entrant in entrants if entrant.total is not None])
    ranks = [entrant.rank for entrant in entrants]
    return [
        TotalLine(
            entrant,
            "–" if entrant.rank is None else f"{entrant.rank}{'=' * (ranks.count(entrant.rank) > 1)}",
            places_label(entrant.places),
            len(ranks) + 1 if entrant.rank is None else entrant.rank,
            None if entrant.total is None else whisker(entrant.total, scale),
        )
        for entrant in entrants
    ]


def _cross_domain(edition: str, boards: Sequence[CrossBoard]) -> Page:
    tables = [(one, find_track(one.board.conditions.track), standings(one.board)) for one in boards]
    (unseen, _), *_ = boards[0].board.conditions.regions
    values = {"edition": edition, "tables": tables, "unseen": unseen, "scenario": SCENARIOS[DEFAULT_SCENARIO]}
    return Page(links.cross_domain_page(edition), "cross_domain.html.j2", values)


def _total(edition: str, entrants: Sequence[Entrant]) -> Page:
    best = [entrant for entrant in entrants if entrant.total is not None][:DRAWN_AT_MOST]
    shapes = {entrant.name: [entrant.tag(tag.name) for tag in TAGS] for entrant in best}
    values = {
        "edition": edition,
        "lines": total_lines(entrants),
        "tracks": list(TRACKS),
        "tags": TAGS,
        "radar": radar([tag.name for tag in TAGS], shapes) if shapes else None,
    }
    return Page(links.total_page(edition), "total.html.j2", values)


def _board(site: Site, board: Board, improvements: Improvements) -> Page:
    shared, rows = board.conditions, site.standings[board.slug]
    best = [standing.row.entry.name for standing in rows[:_IN_MATRIX]]
    values = {
        "board": board,
        "track": find_track(shared.track),
        "scenario": SCENARIOS[shared.scenario],
        "figures": shown(shared.track),
        "standings": rows,
        "kinds": sorted({row.entry.agent["kind"] for row in board.rows}),
        "statuses": [name for name in MEANINGS if name in {row.status for row in board.rows}],
        "siblings": [
            other for other in site.world.boards
            if (other.conditions.track, other.conditions.edition) == (shared.track, shared.edition)
            and other.slug != board.slug
        ],
        "profiled": MOST,
        "profile": profile_chart([(standing.row.entry.label, standing.row.entry.scores) for standing in rows[:MOST]]),
        "best": best,
        "matrix": improvement_matrix(best, improvements),
        "built": {(region.edition, region.name) for region in site.world.regions},
    }  # fmt: skip
    return Page(links.board_page(board.slug), "board.html.j2", values)


def _compare(board: Board, improvements: Improvements) -> Page:
    values = {"board": board, "pairs": board_pairs(board, improvements)}
    return Page(links.compare_page(board.slug), "compare.html.j2", values)


def _agent(site: Site, agent: Agent) -> Page:
    best = next(found for found in site.agents if (found.track, found.edition) == (agent.track, agent.edition))
    own = tag_scores(agent.showings)
    values = _showings(site, agent.name, agent.showings) | {
        "tag_values": own, "radar": agent_radar(own, agent.name, best),
    }  # fmt: skip
    return Page(links.agent_page(agent.track, agent.edition, agent.name), "agent.html.j2", values)


def _run(site: Site, row: Row) -> Page:
    values = _showings(site, row.folder.name, [Showing(None, row)]) | {"tag_values": {}, "radar": None}
    return Page(links.run_page(row.folder), "agent.html.j2", values)


def _showings(site: Site, name: str, showings: Sequence[Showing]) -> dict[str, Any]:
    rows = [showing.row for showing in showings]
    commands: dict[str, list[str]] = {}
    for showing in showings:
        commands.setdefault(command_of(showing.row), []).append(showing.title)
    return {
        "name": name,
        "track": find_track(rows[0].entry.conditions.track),
        "showings": showings,
        "ranks": [_rank_of(site, showing) for showing in showings],
        "whiskers": whiskers(showings),
        "regions": sorted({region for row in rows for region, _ in row.entry.conditions.regions}),
        "address": web_address(rows[0].manifest["agent"].get("url")),
        "tags": TAGS,
        "curve": curve_of(rows[0], site.trained),
        "failures": [failures(row) for row in rows],
        "causes": [causes(row) for row in rows],
        "episodes": [episode_table(row) for row in rows],
        "commands": list(commands.items()),
        "manifests": [list(manifest_lines(row)) for row in rows],
    }


def _rank_of(site: Site, showing: Showing) -> str:
    if showing.board is None:
        return "–"
    return next(found.rank for found in site.standings[showing.board.slug] if found.row is showing.row)


def _region(site: Site, region: Region) -> Page:
    sites, statistics = site.sites(region), region.manifest["statistics"]
    values = {
        "region": region,
        "tiles": [
            ("nodes", f"{statistics['nodes']:,}"), ("links", f"{statistics['links']:,}"),
            ("trap links", f"{statistics['trap_links']:,}"), ("links a node", f"{statistics['degree']['mean']:.3g}"),
            ("models", f"{statistics['instances']:,}"), ("tasks", f"{sum(statistics['tasks'].values()):,}"),
        ],
        "figure": map_figure(region, sites),
        "with_sites": sites is not None,
        "boards": [
            board for board in site.world.boards
            if board.conditions.edition == region.edition
            and (region.name, region.digest) in board.conditions.regions
        ],
        "card": as_html(card_text(region.manifest)),
    }  # fmt: skip
    return Page(links.region_page(region.edition, region.name), "region.html.j2", values)


def _ledger(world: World) -> Page:
    rows = [row for board in world.boards for row in board.rows]
    values = {
        "counts": {name: sum(row.status == name for row in rows) for name in MEANINGS},
        "text": None if world.ledger is None else as_html(world.ledger),
    }
    return Page(links.LEDGER, "ledger.html.j2", values)
