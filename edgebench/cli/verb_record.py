"""`edgebench record`: an agent's trajectories as a Minari dataset."""

from __future__ import annotations

from typing import Any

import click

from edgebench.cli.common import (
    edition_option,
    json_option,
    print_json,
    progress,
    scenario_option,
    stdout,
    tell_compiling,
    track_option,
    verb,
)
from edgebench.cli.values import AGENT, REGION, SPLIT
from edgebench.cli.verb_build import ensure_built


@verb("edgebench record nearest edgebench/route-s1-nearest-v0 --region s1")
@click.argument("agent", type=AGENT)
@click.argument("dataset")
@track_option
@click.option("--region", type=REGION, default="s1", show_default=True, help="Where.")
@click.option("--split", type=SPLIT, default="train", show_default=True, help="train, val or test.")
@scenario_option
@click.option("--seeds", type=click.IntRange(1), default=1, show_default=True, help="Scenario seeds a window.")
@edition_option
@json_option
def command(agent: str, dataset: str, region: str, edition: str, as_json: bool, **options: Any) -> None:
    """Play AGENT (as edgebench eval takes it) and keep every step as the Minari dataset DATASET (namespace/name-v0).

    Load it with `minari.load_dataset(DATASET)`; it lies where Minari keeps its datasets (MINARI_DATASETS_PATH).
    """
    from edgebench.harness.agents import resolve_agent
    from edgebench.harness.recording import record
    from edgebench.region import load

    resolve_agent(agent, options["track"])
    ensure_built([region], edition)
    tell_compiling(options["track"])
    with progress("episodes") as report:
        found = load(region, edition=edition)
        made = record(agent, dataset, found, on_episode=lambda done, total: report(region, done, total), **options)
    told = {"dataset": dataset, "episodes": int(made.total_episodes), "steps": int(made.total_steps)}
    if as_json:
        print_json(told)
    else:
        stdout().print(f"{dataset}: {told['episodes']} episodes, {told['steps']} steps")
