"""`edgebench submit`: a finished run becomes an entry of its board."""

from __future__ import annotations

from pathlib import Path

import click

from edgebench.cli.common import json_option, print_json, stderr, verb
from edgebench.cli.values import Existing
from edgebench.cli.verb_validate import ensure_board
from edgebench.errors import EdgeBenchError


@verb("edgebench submit runs/my_agent --name my-agent")
@click.argument("run", type=Existing())
@click.option("--name", required=True, help="Of the entry: small letters, digits and hyphens.")
@click.option("--force", is_flag=True, help="Replace an entry of that name.")
@click.option("--reason", default="submitted", show_default=True, help="One line for the ledger.")
@click.option("--agent-url", help="With results played elsewhere: where their agent can be had.")
@json_option
def command(run: Path, name: str, force: bool, reason: str, agent_url: str | None, as_json: bool) -> None:
    """Check RUN and copy it into the leaderboard's folder; edgebench leaderboard then ranks it.

    RUN is a run's folder; or, with --agent-url, a CSV file of results that were played elsewhere (docs/submitting.md).
    """
    from edgebench.leaderboard.results import submit_results
    from edgebench.leaderboard.submission import submit

    if run.is_file() != (agent_url is not None):
        raise EdgeBenchError(
            "results without --agent-url, or --agent-url without results",
            where=str(run),
            mend="a folder of a run goes without it, a CSV file needs it",
        )
    ensure_board(run)
    if agent_url is None:
        target = submit(run, name, force=force, reason=reason)
    else:
        target = submit_results(run, name, agent_url, force=force, reason=reason)
    if as_json:
        print_json({"entry": name, "folder": str(target)})
    stderr().print(f"entered: {target}", soft_wrap=True, markup=False)
