"""`edgebench import`: the folders of earlier data sets in, regions out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgebench.cli.common import facts, json_option, print_json, stderr, stdout, table, verb
from edgebench.cli.values import Existing, OneOf
from edgebench.errors import EdgeBenchError

if TYPE_CHECKING:
    from builders.importers.region import Import
    from builders.importers.report import Report


@verb("edgebench import vamappo database/Server1 --as legacy-s1 --mend")
@click.argument("system", type=OneOf("system", "vamappo", "topofreerl"))
@click.argument("folder", metavar="DIR", type=Existing(file_okay=False))
@click.option("--as", "name", help="The region's name.  [default: legacy-s1 …, legacy-trap500]")
@click.option("--edition", default="legacy", show_default=True, help="Name of the raw data.")
@click.option(
    "--placement", type=OneOf("placement", "random", "single"), default="random", show_default=True,
    help="VAMAPPO's RandomDeployment or SingleDeployment.",
)  # fmt: skip
@click.option("--mend", is_flag=True, help="Mend the defects that forbid a region, and write down what was changed.")
@click.option("--force", is_flag=True, help="Replace a region that stands there.")
@json_option
def command(
    system: str, folder: Path, name: str | None, edition: str, placement: str, mend: bool, force: bool, as_json: bool
) -> None:
    """Import DIR, a topology of VAMAPPO or TopoFreeRL, as a region, and report every defect by file and row.

    Defects that a region cannot have refuse the import, unless --mend mends each as the report says.
    """
    from builders.importers.region import Import
    from builders.importers.report import Report

    report = Report()
    single = placement == "single"
    wanted = Import(system, folder, name, edition, "single" if single else "random", mend, force)
    try:
        target = _import(wanted, report)
    except EdgeBenchError:
        _print(report, None, mended=False, as_json=as_json)
        raise
    _print(report, target, mended=mend, as_json=as_json)


def _import(wanted: Import, report: Report) -> Path:
    from builders.importers.region import import_region

    return import_region(wanted, report)


def _print(report: Report, target: Path | None, *, mended: bool, as_json: bool) -> None:
    if as_json:
        manifest = {} if target is None else json.loads((target / "manifest.json").read_text(encoding="utf-8"))
        print_json({"region": manifest or None, "report": report.as_json(mended=mended)})
        return
    if report.defects:
        console = stdout()
        rows = [(grade, kind, file, rows, mend, count) for grade, kind, file, count, rows, mend in report.summary()]
        columns = ("", "defect", "file", "rows", "mend; of a note, how it is taken", "times")
        console.print(table("data report", columns, rows, texts=5))
    if target is not None:
        manifest = json.loads((target / "manifest.json").read_text(encoding="utf-8"))
        about = {key: str(manifest[key]) for key in ("region", "edition", "digest", "licence")}
        stdout().print(facts({**about, "folder": str(target)}), soft_wrap=True)
        stderr().print("every defect by row: report.json in the folder")
