"""`edgebench withdraw`: an entry leaves its board."""

from __future__ import annotations

from pathlib import Path

import click

from edgebench.cli.common import stderr, verb


@verb('edgebench withdraw leaderboards/route/sample/trap/my-agent --reason "its author asked for it"')
@click.argument("entry", type=click.Path(path_type=Path))
@click.option("--reason", required=True, help="One line for the ledger.")
def command(entry: Path, reason: str) -> None:
    """Remove the folder ENTRY from its board; the ledger keeps its lines and tells why it left."""
    from edgebench.leaderboard.submission import withdraw

    withdraw(entry, reason)
    stderr().print(f"withdrawn: {entry}", soft_wrap=True, markup=False)
