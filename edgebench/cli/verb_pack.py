"""`edgebench pack`: a region as one file."""

from __future__ import annotations

from pathlib import Path

import click

from edgebench.cli.common import edition_option, json_option, print_json, stderr, verb
from edgebench.cli.values import REGION


@verb("edgebench pack s1 -o s1.zip")
@click.argument("region", type=REGION)
@edition_option
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The archive.  [default: REGION-EDITION.zip]")
@json_option
def command(region: str, edition: str, output: Path | None, as_json: bool) -> None:
    """Pack REGION into one archive with its manifest, licence and attribution, for `edgebench add` elsewhere.

    The same region gives the same bytes.
    """
    from edgebench.archive import load_safely, pack_region

    target = output or Path(f"{region}-{edition}.zip")
    packed = load_safely(region, edition)
    pack_region(packed, target)
    if as_json:
        print_json({"region": region, "edition": edition, "digest": packed.digest, "file": str(target)})
        return
    stderr().print(f"wrote {target}", soft_wrap=True, markup=False)
