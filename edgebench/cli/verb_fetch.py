"""`edgebench fetch`: cell files of the day from OpenCellID."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgebench.cli.common import facts, json_option, print_json, progress, stderr, stdout, verb
from edgebench.cli.values import REGION
from edgebench.errors import EdgeBenchError

if TYPE_CHECKING:
    from builders.fetch import Fetcher


@verb("edgebench fetch --region s1")
@click.option("--region", type=REGION, help="The country of a region, all its codes.")
@click.option("--mcc", type=click.IntRange(200, 999), help="One mobile country code, such as 228.")
@click.option("--full", is_flag=True, help="All countries.")
@click.option("--token", envvar="OPENCELLID_TOKEN", help="Yours at opencellid.org.  [env: OPENCELLID_TOKEN]")
@click.option("--force", is_flag=True, help="Fetch again what is there already; two downloads a day are allowed.")
@json_option
def command(region: str | None, mcc: int | None, full: bool, token: str | None, force: bool, as_json: bool) -> None:
    """Download cells from OpenCellID into raw/, with a record of digest and date beside them.

    EDGEBENCH_OFFLINE=1 forbids connections; EDGEBENCH_OCID_URL names a mirror.
    """
    if sum((region is not None, mcc is not None, full)) != 1:
        raise EdgeBenchError("which cells?", mend="edgebench fetch --region s1, or --mcc 228, or --full")
    from builders.download import OPENCELLID_URL, Service
    from builders.fetch import Fetcher, record_path

    with progress("kB") as report:
        url = os.environ.get("EDGEBENCH_OCID_URL") or OPENCELLID_URL
        service = Service(token=(token or "").strip(), url=url, report=report)
        path = _fetch(Fetcher(service, force=force, tell=_remark), region, mcc)
    record = record_path(path)
    _print(path, json.loads(record.read_text(encoding="utf-8")) if record.is_file() else {}, as_json)


def _remark(text: str) -> None:
    stderr().print(text, soft_wrap=True, markup=False)


def _fetch(fetcher: Fetcher, region: str | None, mcc: int | None) -> Path:
    from edgebench.registry import region_spec

    if region is not None:
        return fetcher.region(region_spec(region))
    return fetcher.full() if mcc is None else fetcher.mcc(mcc)


def _print(path: Path, record: dict[str, object], as_json: bool) -> None:
    """`record` is empty for a file that was put there by hand."""
    if as_json:
        print_json({"path": str(path), **record})
        return
    shown = {"path": str(path)}
    shown |= {name: str(record[name]) for name in ("rows", "dump_date", "sha256", "source") if name in record}
    stdout().print(facts(shown), soft_wrap=True)
