"""`edgebench check`: does a region follow from its cells."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from edgebench.cli.common import (
    DOES_NOT_HOLD,
    edition_option,
    json_option,
    print_json,
    progress,
    stderr,
    stdout,
    table,
    verb,
)
from edgebench.cli.values import REGION, Existing


@verb("edgebench check s1 --edition ocid-202603 --cells 228.csv.gz")
@click.argument("region", type=REGION)
@edition_option
@click.option("--cells", type=Existing(), help="The file it was built from; not for the sample.")
@click.option("--tokens", type=Existing(), help="The token lengths it was built with, if with any.")
@json_option
def command(region: str, edition: str, cells: Path | None, tokens: Path | None, as_json: bool) -> None:
    """Build REGION again from its cells, with the recorded specification and seed, and compare every table's digest.

    The exit status is 1 if a table differs. The build in place is not touched.
    """
    from builders.check import check_region
    from edgebench import __version__
    from edgebench.archive import load_safely

    loaded = load_safely(region, edition)
    with progress("steps") as report:
        checks = check_region(
            loaded, cells, lambda step, index, total: report(f"{region}: {step}", index, total), tokens=tokens
        )
    if as_json:
        print_json([{**asdict(check), "same": check.same} for check in checks])
    else:
        rows = (
            (check.table, "same" if check.same else "differs", check.recorded[:16], check.rebuilt[:16])
            for check in checks
        )
        title = f"{region}, edition {edition}: first 16 of the digests' 64 digits"
        stdout().print(table(title, ("table", "", "recorded", "built again"), rows, texts=2))
    if not all(check.same for check in checks):
        built_by = loaded.manifest.get("builder_version")
        stderr().print(f"{region} differs: built by version {built_by}, checked by {__version__}", markup=False)
        click.get_current_context().exit(DOES_NOT_HOLD)
