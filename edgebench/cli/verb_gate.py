"""`edgebench gate`: is a track a problem worth solving, and is its score honest?"""

from __future__ import annotations

import click

from edgebench.cli.common import json_option, print_json, progress, stderr, stdout, table, tell_compiling, verb
from edgebench.cli.verb_build import ensure_built


@verb("edgebench gate --track route --regions s1")
@click.option("--track", default="route", show_default=True, help="The decision problem.")
@click.option("--regions", default="all", show_default=True, help="s1,bern; all are s1 to s4.")
@click.option("--edition", default="sample", show_default=True, help="Which build of the regions.")
@json_option
def command(track: str, regions: str, edition: str, as_json: bool) -> None:
    """Measure separation, correlation, parts, ablations and learnability; the exit status is 1 where one fails."""
    from edgebench.errors import unknown_name
    from edgebench.harness.gate import run_gate
    from edgebench.registry import TRACKS, wanted_regions

    if track not in TRACKS:
        raise unknown_name("track", track, TRACKS)
    wanted = wanted_regions(regions, edition)
    ensure_built(wanted, edition)
    tell_compiling()
    with progress("regions") as report:
        measured = run_gate(track, regions=wanted, edition=edition, on_step=report)
    if as_json:
        print_json(measured.as_json())
    else:
        for part in measured.tables():
            stdout().print(table(part.title, part.columns, part.rows))
        stderr().print("the gate holds" if measured.ok else "the gate does not hold")
    if not measured.ok:
        click.get_current_context().exit(1)
