"""`edgebench verify`: does a submission come out again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from edgebench.cli.common import (
    DOES_NOT_HOLD,
    USER_ERROR,
    json_option,
    print_json,
    progress,
    ray_option,
    stderr,
    stdout,
    table,
    verb,
)
from edgebench.cli.values import Existing
from edgebench.cli.verb_validate import ensure_board
from edgebench.errors import EdgeBenchError

if TYPE_CHECKING:
    from edgebench.harness.statistics import Estimate
    from edgebench.harness.summary import Summary
    from edgebench.leaderboard.verify import Verification

DEFAULT_EPISODES: Final = 20
_TOLD_AT_MOST: Final = 20


@verb("edgebench verify leaderboards/route/sample/trap/nearest --episodes 20")
@click.argument("submission", type=Existing(file_okay=False))
@click.option(
    "--episodes",
    type=click.IntRange(1),
    help=f"How many to play again, over all regions.  [default: {DEFAULT_EPISODES}]",
)
@click.option("--all", "everything", is_flag=True, help="Play every episode again.")
@click.option(
    "--salt", metavar="FILE", help="Also play under hidden seeds, drawn from the secret in FILE or in env:NAME."
)
@ray_option
@json_option
def command(
    submission: Path, episodes: int | None, everything: bool, salt: str | None, ray_address: str, as_json: bool
) -> None:
    """Play SUBMISSION again, an entry of a board or a run folder, and demand equal episodes, field by field.

    The agent runs in its sandbox, under the submission's budgets, on the regions whose digests it names. An entry's
    status goes into the ledger: verified (of so many episodes), mismatch, or unreproducible where a region here has
    another digest or the agent is missing, changed or does not start. The episodes are chosen by a hash of the
    submission and of the moment. Hidden episodes are played on this machine, also with --ray.

    The exit status is 0 for verified, 1 for a mismatch, 2 for unreproducible or a mistake of the user.
    """
    from edgebench.leaderboard.ledger import MISMATCH, UNREPRODUCIBLE
    from edgebench.leaderboard.verify import as_record, verify

    if everything and episodes is not None:
        raise EdgeBenchError("--all and --episodes exclude each other", mend="give one of them")
    secret = _secret(salt)
    ensure_board(submission)
    count = None if everything else episodes or DEFAULT_EPISODES
    with progress("episodes") as report:
        found = verify(submission, episodes=count, secret=secret, ray_address=ray_address, on_episode=report)
    if as_json:
        print_json(as_record(found))
    else:
        _print(found)
    stderr().print(f"{submission}: {found.status}: {found.reason}", soft_wrap=True, markup=False)
    exits = {MISMATCH: DOES_NOT_HOLD, UNREPRODUCIBLE: USER_ERROR}
    click.get_current_context().exit(exits.get(found.status, 0))


def _secret(salt: str | None) -> bytes | None:
    from edgebench.leaderboard.hidden import read_secret

    return None if salt is None else read_secret(salt)


def _print(found: Verification) -> None:
    if found.measured is not None:
        stdout().print(_figures(found))
    lines = [*map(str, found.mismatches), *found.claims]
    for line in lines[:_TOLD_AT_MOST]:
        click.echo(line)
    if len(lines) > _TOLD_AT_MOST:
        click.echo(f"… and {len(lines) - _TOLD_AT_MOST} more; --json tells all")
    if found.hidden is not None:
        seen = found.hidden
        rows = [
            ["reported", *_estimate(seen.reported)],
            ["on hidden seeds", *_estimate(seen.hidden)],
            ["drop", *_estimate(seen.drop)],
        ]
        title = f"hidden scenario seeds, {found.episodes} episodes; one-sided p of the drop {seen.p_value:.3g}"
        stdout().print(table(title, ["", "score", "95 % interval"], rows))


def _figures(found: Verification) -> object:
    """Reported beside measured: the score, each region's, and the track's printed figures."""
    from edgebench.leaderboard.page import cell_of, shown

    sides = (found.stated, found.reported, found.measured)
    assert found.measured is not None
    rows = [["score", *(_score(side) for side in sides)]]
    rows += [
        [f"score {part.region}", *(_region(side, part.region) for side in sides)] for part in found.measured.regions
    ]
    for figure in shown(found.measured.track):
        cells = ["–" if side is None else cell_of(figure, side.total.means[figure.name]) for side in sides]
        rows.append([figure.heading, *cells])
    columns = ["", f"reported, all {found.episodes}", f"reported, of {found.checked}", f"measured, of {found.checked}"]
    return table(f"{found.status}: {found.checked} of {found.episodes} episodes played again", columns, rows)


def _score(side: Summary | None) -> str:
    return "–" if side is None else f"{side.total.score.value:z.3f}"


def _region(side: Summary | None, name: str) -> str:
    found = [] if side is None else [part for part in side.regions if part.region == name]
    return f"{found[0].score.value:z.3f}" if found else "–"


def _estimate(found: Estimate) -> list[str]:
    return [f"{found.value:z.3f}", f"{found.low:z.3f} – {found.high:z.3f}"]
