"""`edgebench doctor`: is everything in order here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import groupby
from typing import TYPE_CHECKING

import click

from edgebench.cli.common import DOES_NOT_HOLD, json_option, print_json, stderr, stdout, table, tell_compiling, verb

if TYPE_CHECKING:
    from edgebench.doctor.finding import Finding


@verb("edgebench doctor --quick")
@click.option(
    "--quick", is_flag=True, help="Leave the self-test out; it takes about ten seconds once the simulator is compiled."
)
@json_option
def command(quick: bool, as_json: bool) -> None:
    """Tell what is installed, where data lies, whether the sandbox works here, and try it all on a small scale.

    The self-test builds region s1 in a folder of its own, which it removes, and plays two episodes of a reference
    agent. `note` marks what not everybody needs, `wrong` what would stop you; the exit status is 1 where anything is
    wrong. Where a package is, nothing further is tried.
    """
    from edgebench.doctor.finding import WRONG

    findings = list(_examine(quick))
    wrong = sum(finding.state == WRONG for finding in findings)
    if as_json:
        print_json({"ok": not wrong, "findings": [asdict(finding) for finding in findings]})
    else:
        _print(findings)
    stderr().print(f"{wrong} of {len(findings)} findings are wrong" if wrong else "in order")
    if wrong:
        click.get_current_context().exit(DOES_NOT_HOLD)


def _examine(quick: bool) -> Iterator[Finding]:
    from edgebench.doctor.finding import WRONG
    from edgebench.doctor.installed import examine_installed

    installed = list(examine_installed())
    yield from installed
    if all(finding.state != WRONG for finding in installed):  # else the rest may not even be imported
        yield from _examine_rest(quick)


def _examine_rest(quick: bool) -> Iterator[Finding]:
    from edgebench.doctor.machine import examine_machine
    from edgebench.doctor.places import examine_places
    from edgebench.doctor.trial import examine_play, examine_sandbox

    yield from examine_places()
    yield from examine_machine()
    yield examine_sandbox()
    if not quick:
        from builders.pipeline import build_region

        tell_compiling("route")
        yield from examine_play(lambda spec, target: build_region(spec, target=target))


def _print(findings: Sequence[Finding]) -> None:
    for topic, group in groupby(findings, key=lambda finding: finding.topic):
        rows = [row for finding in group for row in _rows(finding)]
        stdout().print(table(topic, ("state", "what", "found"), rows, texts=3))


def _rows(finding: Finding) -> Iterator[tuple[str, str, str]]:
    yield finding.state, finding.what, finding.said
    if finding.mend:
        yield "", "", f"mend: {finding.mend}"
