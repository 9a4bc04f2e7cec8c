"""`edgebench tune`: the weights of the tuned reference agent, searched on the train tasks."""

from __future__ import annotations

import click

from edgebench.cli.common import (
    edition_option,
    json_option,
    print_json,
    progress,
    regions_option,
    scenario_option,
    stderr,
    stdout,
    table,
    tell_compiling,
    verb,
)
from edgebench.cli.verb_build import ensure_built


@verb("edgebench tune --regions s1")
@regions_option
@scenario_option
@edition_option
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=0, show_default=True, help="Seed of the search.")
@click.option("--write", is_flag=True, help="Keep the weights: the agent `tuned` uses them from then on.")
@json_option
def command(regions: str, scenario: str, edition: str, seed: int, write: bool, as_json: bool) -> None:
    """Search the weights of the agent `tuned` by the cross-entropy method on the train tasks, and print them."""
    from edgebench.registry import wanted_regions

    wanted = wanted_regions(regions, edition)
    ensure_built(wanted, edition)
    tell_compiling("route")
    found = {name: _search(name, scenario, edition, seed) for name in wanted}
    if as_json:
        print_json(found)
    else:
        rows = ([weight, *(f"{found[name][weight]:.3f}" for name in wanted)] for weight in found[wanted[0]])
        stdout().print(table(f"weights of tuned, {scenario}, edition {edition}", ["term", *wanted], rows))
    if write:
        _keep(found)


def _search(name: str, scenario: str, edition: str, seed: int) -> dict[str, float]:
    from edgebench.region import load
    from reference_agents.route.tuned import WEIGHTS
    from reference_agents.route.tuned_search import search

    with progress("rounds") as report:
        weights = search(
            load(name, edition=edition), scenario, seed, on_round=lambda done, rounds: report(name, done, rounds)
        )
    return dict(zip(WEIGHTS, weights.tolist(), strict=True))


def _keep(found: dict[str, dict[str, float]]) -> None:
    """Put the weights found into the agent's file; those of other regions stay."""
    import json

    from edgebench.atomic import write_text
    from reference_agents.route.tuned import WEIGHTS_FILE

    kept = json.loads(WEIGHTS_FILE.read_text(encoding="utf-8")) if WEIGHTS_FILE.is_file() else {}
    write_text(WEIGHTS_FILE, json.dumps(kept | found, indent=1, sort_keys=True) + "\n")
    stderr().print(f"wrote {WEIGHTS_FILE}", soft_wrap=True, markup=False)
