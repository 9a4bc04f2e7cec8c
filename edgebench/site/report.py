"""A run as a paper's appendix tells it: conditions, scores, failures, delays, and the reference agents beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from edgebench.atomic import write_text
from edgebench.errors import EdgeBenchError
from edgebench.harness.manifest import read_manifest
from edgebench.harness.statistics import Difference, holm, paired_difference, sign_flip_test
from edgebench.leaderboard.board import Entry, check_name, read_entry
from edgebench.leaderboard.page import shown
from edgebench.paths import leaderboards_dir
from edgebench.registry import SCENARIOS
from edgebench.registry import track as find_track
from edgebench.site.agents import Showing, causes, command_of, failures, manifest_lines
from edgebench.site.extra import need_libraries
from edgebench.site.profiles import MOST, profile_chart
from edgebench.site.standings import Scale, whisker
from edgebench.site.templating import render
from edgebench.site.world import Row, make_row
from edgebench.track import Metric

DELAY_PARTS: Final = ("network_ms", "trap_ms", "queueing_ms", "loading_ms", "service_ms", "compute_ms", "lost_ms")
"""Figures that are a part of the delay, on the tracks that have them."""
_STATIC: Final = Path(__file__).with_name("static")


@dataclass(frozen=True)
class Beside:
    """A reference agent of the same board.

    Attributes:
        entry: Its row.
        difference: The run minus it, paired.
        p: Of the paired permutation test,
        p_holm: and adjusted for the number of reference agents.
    """

    entry: Entry
    difference: Difference
    p: float
    p_holm: float


@dataclass(frozen=True)
class Report:
    """A finished run with the reference agents that played the same episodes, the best first."""

    row: Row
    beside: tuple[Beside, ...]

    @property
    def entry(self) -> Entry:
        """The run's figures."""
        return self.row.entry

    @property
    def parts(self) -> list[Metric]:
        """The figures that are parts of the delay, none where the track has none."""
        return [figure for figure in find_track(self.entry.conditions.track).figures if figure.name in DELAY_PARTS]


def read_report(run: Path) -> Report:
    """Read a finished run, and from its board the reference agents under the same conditions.

    Raises:
        EdgeBenchError: The run is damaged or unfinished, or a row of the board is damaged.
    """
    manifest_path = run / "manifest.json"
    if not manifest_path.is_file():
        raise EdgeBenchError("no run is here", where=str(run), mend="give the folder of `edgebench eval --out`")
    agent = read_manifest(manifest_path).get("agent")
    name = str(agent.get("name", "run")) if isinstance(agent, dict) else "run"
    row = make_row(run, read_entry(run, name), None)
    return Report(row, tuple(_beside(row, list(_references(row)))))


def _references(row: Row) -> Iterator[Entry]:
    """The reference agents of the run's board, but for the run's own agent."""
    shared = row.entry.conditions
    wanted = [name for name, _ in shared.regions]
    for folder in sorted((leaderboards_dir(shared.track, shared.edition) / shared.scenario).glob("[!.]*/")):
        check_name(folder.name, str(folder))
        manifest = read_manifest(folder / "manifest.json")
        agent = manifest["agent"]
        if agent["kind"] != "reference" or not set(wanted) <= set(manifest["regions"]):
            continue
        if agent["sha256"] == row.entry.agent["sha256"]:
            continue
        entry = read_entry(folder, folder.name, wanted)
        if entry.conditions == shared:
            yield entry


def _beside(row: Row, entries: Sequence[Entry]) -> list[Beside]:
    own = row.entry.scores
    values = [sign_flip_test(own, entry.scores) for entry in entries]
    found = [
        Beside(entry, paired_difference(own, entry.scores), p, adjusted)
        for entry, p, adjusted in zip(entries, values, holm(values), strict=True)
    ]
    return sorted(found, key=lambda beside: (-beside.entry.summary.total.score.value, beside.entry.name))


def as_json(report: Report) -> dict[str, Any]:
    """The report as plain JSON values."""
    return {
        "manifest": dict(report.row.manifest),
        "summary": report.entry.summary.as_json(),
        "command": command_of(report.row),
        "references": [
            {
                "name": beside.entry.name,
                "score": vars(beside.entry.summary.total.score),
                "difference": vars(beside.difference.total),
                "regions": {name: vars(found) for name, found in beside.difference.regions.items()},
                "p": beside.p,
                "p_holm": beside.p_holm,
            }
            for beside in report.beside
        ],
    }


def write_report(report: Report, path: Path) -> None:
    """Write the report as one HTML file that needs no other and asks no one for anything, atomically.

    Raises:
        EdgeBenchError: jinja2, of the extra `site`, is not installed.
    """
    need_libraries("a report", ("jinja2",))
    write_text(path, as_page(report))


def as_page(report: Report) -> str:
    """The HTML of a report; the same run gives the same bytes."""
    row, entry = report.row, report.entry
    total = entry.summary.total.score
    scale = Scale.around([total, *(beside.entry.summary.total.score for beside in report.beside)])
    drawn = [(entry.name, entry.scores)]
    drawn += [(f"{beside.entry.name} (reference)", beside.entry.scores) for beside in report.beside[: MOST - 1]]
    return render(
        "report.html.j2", "report.html",
        style=_style(), report=report, row=row, entry=entry, summary=entry.summary, showing=Showing(None, row),
        track=find_track(entry.conditions.track), scenario=SCENARIOS[entry.conditions.scenario],
        figures=shown(entry.conditions.track), failures=failures(row), causes=causes(row),
        whisker=whisker(total, scale),
        whiskers=[whisker(beside.entry.summary.total.score, scale) for beside in report.beside],
        delays=[*((region.region, region) for region in entry.summary.regions), ("all", entry.summary.total)],
        command=command_of(row), lines=list(manifest_lines(row)), profile=profile_chart(drawn),
    )  # fmt: skip


def _style() -> Any:
    from markupsafe import Markup

    return Markup((_STATIC / "site.css").read_text(encoding="utf-8"))
