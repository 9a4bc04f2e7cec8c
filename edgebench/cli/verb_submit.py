"""`edgebench submit`: a finished run becomes an entry of its board."""

from __future__ import annotations

from pathlib import Path

import click

from edgebench.cli.common import stderr, verb
from edgebench.cli.verb_validate import ensure_board


@verb("edgebench submit runs/my_agent --name my-agent")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--name", required=True, help="Of the entry: small letters, digits and hyphens.")
@click.option("--force", is_flag=True, help="Replace an entry of that name.")
def command(run: Path, name: str, force: bool) -> None:
    """Check RUN and copy it into the leaderboard's folder; edgebench leaderboard then ranks it."""
    from edgebench.leaderboard.submission import submit

    ensure_board(run)
    target = submit(run, name, force=force)
    stderr().print(f"entered: {target}", soft_wrap=True, markup=False)
