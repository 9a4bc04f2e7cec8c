"""`edgebench add`: a region from a file that `edgebench pack` wrote."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgebench.cli.common import facts, json_option, print_json, stderr, stdout, verb
from edgebench.cli.values import Existing

if TYPE_CHECKING:
    from edgebench.region import Region


@verb("edgebench add s1-ocid-202603.zip")
@click.argument("file", type=Existing(dir_okay=False))
@click.option("--force", is_flag=True, help="Replace a different region of the same edition and name.")
@json_option
def command(file: Path, force: bool, as_json: bool) -> None:
    """Check the archive FILE - members, sizes, digests, names, licence - and add its region to those built here."""
    from edgebench.archive import add_archive

    region = add_archive(file, force=force)
    about = {
        "region": region.name, "edition": region.edition, "digest": region.digest,
        "licence": region.licence, "folder": str(region.path),
    }  # fmt: skip
    if as_json:
        print_json(about)
    else:
        stdout().print(facts(about), soft_wrap=True)
    if "system" not in region.manifest.get("source", {}):
        hint = f"whether it follows from its cells: edgebench check {region.name} --edition {region.edition}"
        stderr().print(hint + _files_needed(region), soft_wrap=True, markup=False)


def _files_needed(region: Region) -> str:
    """The options of `edgebench check` that name the files the region was built from."""
    cells = "" if region.edition == "sample" else " --cells FILE"
    return cells + (" --tokens FILE" if "tokens" in region.manifest.get("files", {}) else "")
