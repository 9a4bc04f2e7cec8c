"""`edgebench gate`: is a track a problem worth solving, and is its score honest?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from edgebench.cli.common import (
    DOES_NOT_HOLD,
    edition_option,
    json_option,
    print_json,
    progress,
    regions_option,
    stderr,
    stdout,
    table,
    tell_compiling,
    track_option,
    verb,
)
from edgebench.cli.verb_build import ensure_built

if TYPE_CHECKING:
    from edgebench.harness.gate import GateReport


@verb("edgebench gate --track route --regions s1")
@track_option
@click.option("--all", "every", is_flag=True, help="All decision problems, one after another.")
@regions_option
@edition_option
@json_option
def command(track: str, every: bool, regions: str, edition: str, as_json: bool) -> None:
    """Measure separation, honesty and what else a track must hold; the exit status is 1 where a check fails."""
    from edgebench.harness.gate import run_gate
    from edgebench.registry import TRACKS, wanted_regions

    wanted, tracks = wanted_regions(regions, edition), list(TRACKS) if every else [track]
    ensure_built(wanted, edition)
    tell_compiling(*tracks)
    reports = []
    for name in tracks:
        with progress("regions") as report:
            reports.append(run_gate(name, regions=wanted, edition=edition, on_step=report))
        if not as_json:
            _print(reports[-1])
    if as_json:
        print_json([measured.as_json() for measured in reports] if every else reports[0].as_json())
    if not all(measured.ok for measured in reports):
        click.get_current_context().exit(DOES_NOT_HOLD)


def _print(measured: GateReport) -> None:
    stdout().print(f"{measured.track}, scenario {measured.scenario}, edition {measured.edition}\n", highlight=False)
    for part in measured.tables():
        stdout().print(table(part.title, part.columns, part.rows))
    stderr().print(f"the gate of {measured.track} {'holds' if measured.ok else 'does not hold'}")
