"""`edgebench compat`: the original formulas of earlier systems on their own data."""

from __future__ import annotations

from pathlib import Path

import click

from edgebench.cli.common import json_option, print_json, stdout, table, verb
from edgebench.cli.values import Existing, OneOf


@verb("edgebench compat vamappo database/Server1")
@click.argument("system", type=OneOf("system", "vamappo", "topofreerl"))
@click.argument("folder", metavar="DIR", type=Existing(file_okay=False))
@click.option("--split", type=OneOf("split", "train", "test"), default="test", show_default=True, help="Which tasks.")
@click.option("--seeds", type=click.IntRange(min=1), default=3, show_default=True, help="Seeds to average over.")
@json_option
def command(system: str, folder: Path, split: str, seeds: int, as_json: bool) -> None:
    """Score simple policies on DIR by the reward, latency and cost as VAMAPPO or TopoFreeRL publish them.

    Every task is played once a seed. Nothing is mended: rows that cannot be read are refused.
    """
    from builders.importers.region import read_as_is
    from edgebench.compat import mean_scores

    scores = mean_scores(read_as_is(system, folder), split, range(seeds))
    if as_json:
        print_json({"system": system, "split": split, "seeds": seeds, "policies": scores})
        return
    figures = list(next(iter(scores.values())))
    rows = ([policy, *(f"{values[figure]:.4f}" for figure in figures)] for policy, values in scores.items())
    stdout().print(table(f"{system}, {split} tasks, mean of {seeds} seeds", ("policy", *figures), rows))
