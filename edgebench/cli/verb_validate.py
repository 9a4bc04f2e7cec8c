"""`edgebench validate`: every problem of a run or submission at once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgebench.cli.common import DOES_NOT_HOLD, json_option, print_json, stderr, verb
from edgebench.cli.values import Existing
from edgebench.cli.verb_build import ensure_built

if TYPE_CHECKING:
    from edgebench.leaderboard.problems import Problem


@verb("edgebench validate leaderboards/route/sample/trap/nearest")
@click.argument("path", type=Existing())
@json_option
def command(path: Path, as_json: bool) -> None:
    """Check the run or submission in PATH, or the file of results PATH that was played elsewhere (results.csv),
    against the rules of its board and recompute every figure.

    All problems are listed with file and row; the exit status is 1 if there is one.
    """
    problems = _problems(path)
    if as_json:
        print_json([{"file": problem.file, "row": problem.row, "what": problem.what} for problem in problems])
    else:
        for problem in problems:
            click.echo(problem)
        verdict = f"{len(problems)} problem{'s'[: len(problems) != 1]}" if problems else "in order"
        stderr().print(f"{path}: {verdict}", soft_wrap=True, markup=False)
    if problems:
        click.get_current_context().exit(DOES_NOT_HOLD)


def _problems(path: Path) -> list[Problem]:
    from edgebench.leaderboard.results import validate_results
    from edgebench.leaderboard.validate import validate

    ensure_board(path)
    return validate_results(path) if path.is_file() else validate(path)


def ensure_board(path: Path) -> None:
    """Build the sample regions where the run or the results in `path` are of a sample board; the check needs them."""
    from edgebench.leaderboard.rules import board_regions
    from edgebench.registry import REGISTERED, SAMPLE_EDITION

    edition, played = _claimed(path)
    if edition == SAMPLE_EDITION:
        ensure_built(board_regions([name for name in REGISTERED if name in played], SAMPLE_EDITION), SAMPLE_EDITION)


def _claimed(path: Path) -> tuple[str, tuple[str, ...]]:
    """Edition and regions that a run or a file of results claims, "" and none where it claims nothing."""
    from edgebench.leaderboard.problems import read_object
    from edgebench.leaderboard.results import board_claimed

    if path.is_file():
        return board_claimed(path) or ("", ())
    manifest = read_object(path, "manifest.json", []) or {}
    played = manifest.get("regions")
    return str(manifest.get("edition", "")), tuple(played) if isinstance(played, dict) else ()
