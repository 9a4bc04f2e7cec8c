"""Cell files from OpenCellID into `raw/`, each with a record of what it is and where it came from."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import polars as pl

from builders.cells import OPENCELLID_COLUMNS, RADIOS
from builders.download import Contents, Refused, Service, download, inspect
from builders.raw_text import text_blocks
from edgebench.atomic import atomic_path, write_text
from edgebench.errors import EdgeBenchError
from edgebench.paths import raw_dir
from edgebench.spec import RegionSpec

FULL: Final = "cell_towers.csv.gz"
"""The file of all countries, as the service names it."""

_HEADER: Final = ",".join(OPENCELLID_COLUMNS)


@dataclass
class Fetcher:
    """Fetches files into `home()/raw`; one that is there is kept unless `force`.

    `tell(remark)` hears what was decided on the user's behalf. A file fetched once by this object is not fetched
    again, as the service counts downloads. With the environment variable EDGEBENCH_OFFLINE no connection is made.
    """

    service: Service
    force: bool = False
    tell: Callable[[str], None] = lambda remark: None
    _fresh: set[Path] = field(default_factory=set)

    def full(self) -> Path:
        """The file of all countries.

        Raises:
            EdgeBenchError: Offline, no token, or what `builders.download.download` raises.
        """
        return self._ensure(FULL, "full")

    def mcc(self, mcc: int) -> Path:
        """The file of one mobile country code; cut from the full file where the service has no such file.

        Raises:
            EdgeBenchError: As `full`; or the full file holds no cell of this country.
        """
        name = f"{mcc}.csv.gz"
        target = raw_dir() / name
        if is_offline() and not target.is_file() and (raw_dir() / FULL).is_file():
            return self._join((mcc,), target, [raw_dir() / FULL])
        try:
            return self._ensure(name, "mcc")
        except Refused as refusal:
            self.tell(f"{name}: {refusal.what}; taking its rows from the full file")
        return self._join((mcc,), target, [self.full()])

    def region(self, spec: RegionSpec) -> Path:
        """The cells of a region's country; those of several codes are joined in one file named after the region.

        Raises:
            EdgeBenchError: As `mcc`.
        """
        if len(spec.mcc) == 1:
            return self.mcc(spec.mcc[0])
        target = raw_dir() / f"{spec.name}.csv.gz"
        if self._keeps(target):
            return target
        return self._join(spec.mcc, target, [self.mcc(mcc) for mcc in spec.mcc])

    def _keeps(self, target: Path) -> bool:
        if not target.is_file() or (self.force and target not in self._fresh):
            return False
        if target not in self._fresh:
            self.tell(f"{target.name} is there already: kept; --force fetches it again")
        return True

    def _ensure(self, name: str, kind: str) -> Path:
        target = raw_dir() / name
        if self._keeps(target):
            return target
        _require_connection(target, self.service)
        with atomic_path(target) as temporary:
            contents = download(self.service, kind, name, temporary)
            record_path(target).unlink(missing_ok=True)
        self._record(target, contents, self.service.source(kind, name), contents.dump_date)
        return target

    def _join(self, mccs: Sequence[int], target: Path, parts: Sequence[Path]) -> Path:
        """Write the rows of `mccs` in `parts` to `target`, with a header; the same parts give the same bytes."""
        records = [_describe(part) for part in parts]
        with atomic_path(target) as temporary:
            _write_rows(temporary, mccs, parts)
            contents = inspect(temporary)
            if not contents.rows:
                raise EdgeBenchError(
                    f"no cell of MCC {', '.join(map(str, mccs))}",
                    where=", ".join(part.name for part in parts),
                    mend="the dump of this date has no such country; check the code, or use a file of another date",
                )
            record_path(target).unlink(missing_ok=True)
        dates = [record["dump_date"] for record in records if record["dump_date"]]
        self._record(target, contents, f"rows of MCC {', '.join(map(str, mccs))}", min(dates, default=None), records)
        return target

    def _record(
        self, target: Path, contents: Contents, source: str, dump_date: str | None, parts: Sequence[Any] = ()
    ) -> None:
        record = {
            "file": target.name,
            "sha256": contents.sha256,
            "bytes": contents.bytes,
            "rows": contents.rows,
            "source": source,
            "dump_date": dump_date,
            "fetched": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        write_text(record_path(target), json.dumps(record | ({"parts": list(parts)} if parts else {}), indent=1) + "\n")
        self._fresh.add(target)


def record_path(file: Path) -> Path:
    """The record beside a fetched file: its name with `.json` appended."""
    return file.with_name(f"{file.name}.json")


def is_offline() -> bool:
    """Whether EDGEBENCH_OFFLINE forbids connections."""
    return os.environ.get("EDGEBENCH_OFFLINE", "") not in ("", "0")


def _require_connection(target: Path, service: Service) -> None:
    if is_offline():
        raise EdgeBenchError(
            f"EDGEBENCH_OFFLINE is set and {target.name} has to be downloaded",
            where=str(target),
            mend=f"put {target.name} of OpenCellID there, or unset EDGEBENCH_OFFLINE",
        )
    if not service.token:
        raise EdgeBenchError(
            f"a token is needed to download {target.name}",
            where="OPENCELLID_TOKEN",
            mend="set it or give --token; a token is free at https://opencellid.org",
        )


def _describe(path: Path) -> dict[str, Any]:
    """File, digest and date of a part: the date is that of its record where the record is about these bytes."""
    contents = inspect(path)
    date = contents.dump_date
    if record_path(path).is_file():
        record = json.loads(record_path(path).read_text(encoding="utf-8"))
        date = record["dump_date"] if record["sha256"] == contents.sha256 else date
    return {"file": path.name, "sha256": contents.sha256, "dump_date": date}


def _write_rows(target: Path, mccs: Sequence[int], parts: Sequence[Path]) -> None:
    # A gzip header without name and time, so that the bytes depend on the rows alone.
    with target.open("wb") as file, gzip.GzipFile("", "wb", fileobj=file, mtime=0) as text:
        text.write(f"{_HEADER}\n".encode())
        for part in parts:
            for rows in _rows(part, mccs):
                text.write(rows)


def _rows(path: Path, mccs: Sequence[int]) -> Iterator[bytes]:
    """The rows of some countries in a file in OpenCellID's order of columns, block by block, each ended by LF."""
    radios, wanted = "|".join(RADIOS), "|".join(map(str, mccs))
    before = 0
    for block in text_blocks(path):
        lines = _lines(block, path)
        is_header = (lines == _HEADER) & pl.Series([before == 0]).extend_constant(False, len(lines) - 1)
        odd = ~(lines.str.contains(f"^(?:{radios}),") | (lines == "") | is_header)
        if odd.any():
            raise EdgeBenchError(
                "not a row of OpenCellID",
                where=f"{path.name}, line {before + (odd.arg_max() or 0) + 1}",
                mend=f"expected order: {_HEADER}; fetch the file again with --force",
            )
        before += len(lines)
        yield "".join(f"{row}\n" for row in lines.filter(lines.str.contains(f"^(?:{radios}),(?:{wanted}),"))).encode()


def _lines(block: bytes, path: Path) -> pl.Series:
    """The lines of a block without their ends."""
    try:
        text = pl.Series([block.removesuffix(b"\n")]).cast(pl.String)
    except pl.exceptions.PolarsError as error:
        raise EdgeBenchError("not UTF-8 text", where=path.name, mend="fetch the file again with --force") from error
    return text.str.split("\n").explode().str.strip_chars_end("\r")
