"""`edgebench reproduce`: the published tables of learning methods, computed again from nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgebench.cli.common import (
    INTERRUPTED,
    device_option,
    edition_option,
    jobs_option,
    json_option,
    print_json,
    progress,
    ray_option,
    stderr,
    stdout,
    table,
    tell_compiling,
    verb,
)
from edgebench.cli.values import TABLE, Count
from edgebench.cli.verb_build import ensure_built

if TYPE_CHECKING:
    from edgebench.crew import Task
    from edgebench.reproduce.runs import Plan


@verb("edgebench reproduce --table route-methods")
@click.option("--table", type=TABLE, default="route", show_default=True, help="Or a track: all its tables.")
@click.option("--list", "list_", is_flag=True, help="Name the tables and what each takes, and do nothing.")
@click.option("--rows", default="", help="Only these rows of the table, with commas between.  [default: all]")
@click.option("--steps", type=Count(), help="Decisions that each run learns from.  [default: the table's]")
@click.option("--seeds", type=click.IntRange(1), default=5, show_default=True, help="Training seeds of a row.")
@edition_option
@device_option
@jobs_option
@ray_option
@click.option("--out", type=click.Path(path_type=Path), help="Folder of the runs; by default under runs/reproduce.")
@click.option("--docs", type=click.Path(path_type=Path), help="Where page and pictures go; by default beside the runs.")
@json_option
def command(table: str, list_: bool, out: Path | None, docs: Path | None, as_json: bool, **options: Any) -> None:
    """Train and play whatever a table lacks, then write its page, pictures and figures.

    What is there already is kept: after Ctrl-C, a kill or a reboot the same command goes on. More seeds add to those
    that are there; another number of decisions is another folder.
    """
    from edgebench.harness.agents import require_torch
    from edgebench.paths import home
    from edgebench.reproduce.tables import TABLES, tables_of

    if list_:
        _list([_told(one) for one in TABLES.values()], as_json)
        return
    require_torch()
    told: dict[str, Any] = {}
    for found in tables_of(table):
        found = found.only(options["rows"].split(",")) if options["rows"] else found
        steps = options["steps"] or found.steps
        folder = (out or home() / "runs" / "reproduce") / options["edition"] / f"{found.name}-{steps}"
        told[found.name] = _reproduce(_plan(found, folder, steps, options), docs or folder, options)
    if as_json:
        print_json(told)


def _told(table: Any) -> dict[str, Any]:
    rows = [row.label for row in table.rows]
    return {"name": table.name, "title": table.title, "track": table.track, "rows": rows, "steps": table.steps}


def _list(tables: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        print_json(tables)
        return
    rows = [(one["name"], one["title"], f"{one['steps']:,}", ", ".join(one["rows"])) for one in tables]
    stdout().print(table("tables", ("name", "what it shows", "decisions a run", "rows"), rows, texts=4))


def _plan(table: Any, folder: Path, steps: int, options: dict[str, Any]) -> Plan:
    from edgebench.reproduce.runs import Plan

    return Plan(table, folder, options["edition"], options["seeds"], steps, options["device"])


def _reproduce(plan: Plan, docs: Path, options: dict[str, Any]) -> dict[str, Any]:
    from edgebench.atomic import write_text
    from edgebench.reproduce.outcome import read_outcome
    from edgebench.reproduce.page import as_json, page
    from edgebench.reproduce.pictures import draw_curves, draw_profiles
    from edgebench.reproduce.runs import take_over

    table, name = plan.table, _page_name(plan)
    ensure_built({*table.tests, *(name for row in table.rows for name in row.regions)}, plan.edition)
    tell_compiling(table.track)
    if taken := take_over(plan):
        stderr().print(f"{table.name}: {len(taken)} runs taken over from other tables", markup=False)
    for what, tasks in (("training", plan.training()), ("playing", plan.playing())):
        _run(f"{table.name}: {what}", tasks, options)
    outcome = read_outcome(plan)
    figures = as_json(outcome)
    pictures = [f"{name}-curves.png", f"{name}-profiles.png"]
    for draw, picture in zip((draw_curves, draw_profiles), pictures, strict=True):
        draw(outcome, docs / picture)
    write_text(docs / f"{name}.md", page(outcome, pictures))
    write_text(plan.folder / "figures.json", json.dumps(figures, indent=1, allow_nan=False) + "\n")
    stderr().print(f"page: {docs / f'{name}.md'}", soft_wrap=True, markup=False)
    return figures


def _page_name(plan: Plan) -> str:
    """The table's, with the edition where it is not the sample's."""
    from edgebench.registry import SAMPLE_EDITION

    return plan.table.name if plan.edition == SAMPLE_EDITION else f"{plan.table.name}-{plan.edition}"


def _run(title: str, tasks: Sequence[Task], options: dict[str, Any]) -> None:
    """Do the tasks, here or on Ray, with a bar that counts them."""
    from edgebench.crew import Stopped, cores, run_here
    from edgebench.ray_crew import run_on_ray

    if not tasks:
        return
    begun = set[int]()
    with progress("runs") as report:

        def on_told(number: int, value: Any) -> None:
            begun.add(number)
            report(title, len(begun), len(tasks))

        try:
            if options["ray_address"]:
                run_on_ray(tasks, options["ray_address"], on_told)
            else:
                run_here(tasks, min(options["jobs"] or cores(), len(tasks)), on_told)
        except Stopped:
            click.echo("interrupted: the same command goes on from there", err=True)
            click.get_current_context().exit(INTERRUPTED)
