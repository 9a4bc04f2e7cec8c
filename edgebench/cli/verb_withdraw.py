"""`edgebench withdraw`: an entry leaves its board."""

from __future__ import annotations

from pathlib import Path

import click

from edgebench.cli.common import json_option, print_json, stderr, verb


@verb('edgebench withdraw leaderboards/route/sample/trap/my-agent --reason "its author asked for it"')
@click.argument("entry", type=click.Path(path_type=Path))
@click.option("--reason", required=True, help="One line for the ledger.")
@json_option
def command(entry: Path, reason: str, as_json: bool) -> None:
    """Remove the folder ENTRY from its board; the ledger keeps its lines and tells why it left."""
    from edgebench.leaderboard.submission import withdraw

    withdraw(entry, reason)
    if as_json:
        print_json({"withdrawn": str(entry), "reason": reason})
    stderr().print(f"withdrawn: {entry}", soft_wrap=True, markup=False)
