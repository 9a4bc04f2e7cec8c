"""`edgebench validate`: every problem of a run or submission at once."""

from __future__ import annotations

from pathlib import Path

import click

from edgebench.cli.common import USER_ERROR, json_option, print_json, stderr, verb
from edgebench.cli.verb_build import ensure_built


@verb("edgebench validate leaderboards/route/sample/trap/nearest")
@click.argument("path", type=click.Path(path_type=Path))
@json_option
def command(path: Path, as_json: bool) -> None:
    """Check the run or submission in PATH against the rules of its board and recompute every figure.

    All problems are listed with file and row; the exit status is 2 if there is one.
    """
    from edgebench.leaderboard.validate import validate

    ensure_board(path)
    problems = validate(path)
    if as_json:
        print_json([{"file": problem.file, "row": problem.row, "what": problem.what} for problem in problems])
    else:
        for problem in problems:
            click.echo(problem)
        verdict = f"{len(problems)} problems" if problems else "in order"
        stderr().print(f"{path}: {verdict}", soft_wrap=True, markup=False)
    if problems:
        click.get_current_context().exit(USER_ERROR)


def ensure_board(path: Path) -> None:
    """Build the sample regions where the manifest in `path` is of a sample board; the check needs them."""
    from edgebench.leaderboard.problems import read_object
    from edgebench.leaderboard.rules import board_regions
    from edgebench.registry import REGISTERED, SAMPLE_EDITION

    manifest = read_object(path, "manifest.json", [])
    if manifest is not None and manifest.get("edition") == SAMPLE_EDITION:
        played = manifest.get("regions")
        known = [name for name in REGISTERED if name in played] if isinstance(played, dict) else []
        ensure_built(board_regions(known, SAMPLE_EDITION), SAMPLE_EDITION)
