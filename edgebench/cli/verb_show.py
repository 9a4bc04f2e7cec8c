"""`edgebench show`: what a built region holds."""

from __future__ import annotations

from pathlib import Path

import click

from edgebench.cli.common import facts, json_option, print_json, region_tables, stderr, stdout, verb


@verb("edgebench show s1 --map -o s1.png")
@click.argument("region")
@click.option("--edition", default="sample", show_default=True, help="Which build of the region.")
@click.option("--map", "as_map", is_flag=True, help="Draw a map instead (needs the extra: edgebench[plots]).")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The map's file.  [default: REGION.png]")
@json_option
def command(region: str, edition: str, as_map: bool, output: Path | None, as_json: bool) -> None:
    """Show the statistics of REGION beside its specification and the rows its build dropped, or draw its map."""
    from edgebench.region import load
    from edgebench.registry import region_spec

    region_spec(region)
    loaded = load(region, edition=edition)
    if as_map:
        from edgebench.show import draw_map

        target = output or Path(f"{region}.png")
        draw_map(loaded, target)
        stderr().print(f"wrote {target}", soft_wrap=True)
    elif as_json:
        print_json(loaded.manifest)
    else:
        console = stdout()
        for part in region_tables(loaded.manifest):
            console.print(part)
        about = {"digest": loaded.digest, "licence": loaded.licence, "folder": str(loaded.path)}
        console.print(facts(about), soft_wrap=True)
