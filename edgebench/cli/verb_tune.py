"""`edgebench tune`: the weights of the tuned reference agent, searched on the train tasks."""

from __future__ import annotations

import click

from edgebench.cli.common import json_option, names, print_json, progress, stdout, table, verb
from edgebench.cli.verb_build import ensure_built


@verb("edgebench tune --regions s1 --seed 0")
@click.option("--regions", default="all", show_default=True, help="s1,s2 or all.")
@click.option("--edition", default="sample", show_default=True, help="Which build of the regions.")
@click.option("--seed", default=0, show_default=True, help="Seed of the search.")
@json_option
def command(regions: str, edition: str, seed: int, as_json: bool) -> None:
    """Search the lookahead's weights by the cross-entropy method on the train tasks and print them."""
    from reference_agents.tuned import search

    from edgebench.registry import REGIONS

    wanted = names(regions, "region", REGIONS)
    ensure_built(wanted, edition)
    with progress("rounds") as report:
        weights = search(wanted, edition=edition, seed=seed, on_step=report)
    if as_json:
        print_json(weights)
    else:
        rows = ([name, f"{value:.6g}"] for name, value in weights.items())
        stdout().print(table("weights", ["term", "weight"], rows))
