"""`edgebench add`: a region from a file that `edgebench pack` wrote."""

from __future__ import annotations

from pathlib import Path

import click

from edgebench.cli.common import facts, stderr, stdout, verb


@verb("edgebench add s1-ocid-202603.zip")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--force", is_flag=True, help="Replace a different region of the same edition and name.")
def command(file: Path, force: bool) -> None:
    """Check the archive FILE - members, sizes, digests, names, licence - and add its region to those built here."""
    from edgebench.archive import add_archive

    region = add_archive(file, force=force)
    about = {
        "region": region.name, "edition": region.edition, "digest": region.digest,
        "licence": region.licence, "folder": str(region.path),
    }  # fmt: skip
    stdout().print(facts(about), soft_wrap=True)
    cells = "" if region.edition == "sample" else " --cells FILE"
    hint = f"whether it follows from its cells: edgebench check {region.name} --edition {region.edition}{cells}"
    stderr().print(hint, soft_wrap=True, markup=False)
