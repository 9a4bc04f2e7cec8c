"""A region as one file to hand on: packed in the same bytes every time, unpacked without trusting a byte of it."""

from __future__ import annotations

import json
import re
import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from edgebench.atomic import atomic_folder, atomic_path
from edgebench.croissant import CARD, CROISSANT, make_croissant
from edgebench.errors import EdgeBenchError, unknown_name
from edgebench.paths import is_folder_name, processed_dir
from edgebench.region import Region, load, read_region
from edgebench.registry import REGISTERED, own_regions
from edgebench.schema import TABLES
from edgebench.scratch import scratch

MANIFEST: Final = "manifest.json"
LICENCE_FILE: Final = "LICENSE.txt"
MEMBERS: Final = tuple(sorted([*(f"{name}.parquet" for name in TABLES), MANIFEST, LICENCE_FILE, CROISSANT, CARD]))
"""What an archive holds, no more and no less, in this order."""
MAX_BYTES: Final = 1 << 30
"""Most bytes of an archive, and of its members together once unpacked."""
MAX_RATIO: Final = 100
"""Most bytes unpacked for one byte packed."""
MAX_VALUES: Final = 100_000_000
"""Most values in one table; a column of equal values takes next to no room in a file."""

_MAX_DIRECTORY: Final = 1 << 16
_MAX_TEXT: Final = 1 << 22
_CHUNK: Final = 1 << 20
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_END: Final = struct.Struct("<4s4H2LH")
"""The end record of a zip file: signature, disks, entries, size and offset of the directory, length of a comment."""
_ZIP64_LOCATOR: Final = 20
_ENCRYPTED: Final = 0x1
_UNREADABLE: Final = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError,
)  # fmt: skip
"""What zipfile raises on bytes that are no sound archive."""
_FOREIGN: Final = (
    ArithmeticError, LookupError, MemoryError, OSError, RuntimeError, TypeError, ValueError, AttributeError,
    pa.ArrowException,
)  # fmt: skip
"""What JSON and Parquet readers raise on content that nobody checked before."""


def is_safe_name(name: object) -> bool:
    """Whether `name` can be that of a region or an edition: one plain folder on every system."""
    return isinstance(name, str) and is_folder_name(name)


def load_safely(name: str, edition: str) -> Region:
    """`edgebench.region.load` for names that stay in the data folder, and a manifest that bears them.

    Raises:
        EdgeBenchError: As `load`; or a name is no plain folder's, or the manifest is of another region.
    """
    if not is_safe_name(name):
        known = [*REGISTERED, *own_regions()]
        raise EdgeBenchError(f"{name!r} cannot name a region", mend=unknown_name("region", name, known).mend)
    _check_names({"region": name, "edition": edition}, "")
    region = load(name, edition=edition)
    if (region.name, region.edition) != (name, edition):
        raise EdgeBenchError(
            f"the manifest is of region {region.name!r} of edition {region.edition!r}",
            where=str(region.path),
            mend=f"build the region again: edgebench build --region {name} --force",
        )
    return region


def licence_text(manifest: dict[str, Any]) -> str:
    """The licence file of a region: its licence and attribution as the manifest states them."""
    return (
        f"Region {manifest['region']}, edition {manifest['edition']}\n"
        f"Licence: {manifest['licence']}\n"
        f"Attribution: {manifest['attribution']}\n"
    )


def pack_region(region: Region, output: Path) -> None:
    """Write `region` to `output` as one zip archive, atomically; equal regions give equal bytes.

    Members are stored without compression (Parquet is compressed already), so that the bytes do not depend on the
    version of zlib.

    Raises:
        EdgeBenchError: The region's names cannot be folders, its data may not be passed on, its description is
            missing or of other files, or it is larger than `MAX_BYTES`.
    """
    _check_names(region.manifest, str(region.path))
    if region.manifest.get("redistributable") is False:
        raise EdgeBenchError(
            f"the region may not be passed on: {region.licence}",
            where=str(region.path),
            mend="let others import it from their own copy: edgebench import",
        )
    wrong = _wrong_description(region)
    if wrong:
        raise EdgeBenchError(
            wrong,
            where=str(region.path),
            mend=f"build the region again: edgebench build --region {region.name} --force",
        )
    contents = {name: (region.path / name).read_bytes() for name in MEMBERS if name != LICENCE_FILE}
    contents[LICENCE_FILE] = licence_text(region.manifest).encode()
    if sum(map(len, contents.values())) > MAX_BYTES - _MAX_DIRECTORY:
        raise EdgeBenchError(f"the region holds more than {MAX_BYTES:,} bytes", where=str(region.path))
    with atomic_path(output) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name in MEMBERS:
            archive.writestr(_member(name), contents[name])


def _member(name: str) -> zipfile.ZipInfo:
    """The header of a member: no clock, no user, the same on every system."""
    info = zipfile.ZipInfo(name, _EPOCH)
    info.create_system = 3
    info.external_attr = (stat.S_IFREG | 0o644) << 16
    return info


def add_archive(path: Path, *, force: bool = False) -> Region:
    """Check the archive at `path` in a temporary folder and place its region in `processed/`, whole or not at all.

    A region that is there already with the same manifest is left as it is.

    Args:
        path: A file that `pack_region` wrote, on this machine or another.
        force: Replace a different region of the same edition and name.

    Raises:
        EdgeBenchError: The file is no sound archive of a region (its members, sizes, digests, names or licence), or
            a different region stands in its place.
    """
    with scratch("edgebench-add-") as folder:
        _unpack(path, folder)
        region = _read_unpacked(path, folder)
        target = processed_dir(region.name, region.edition)
        if not _stands_there(target, region, force):
            with atomic_folder(target) as place:
                shutil.copytree(folder, place, dirs_exist_ok=True)
    return Region(target, region.manifest, region.tables)


def _unpack(path: Path, folder: Path) -> None:
    _check_end(path)
    try:
        archive = zipfile.ZipFile(path)
    except _UNREADABLE as error:
        raise _refused(path, f"not a readable zip file: {error}") from error
    with archive:
        members = archive.infolist()
        _check_members(path, members)
        left = MAX_BYTES
        for info in members:
            left -= _unpack_member(path, archive, info, folder / info.filename, left)


def _check_end(path: Path) -> None:
    """Refuse by size, and by the size of the directory: zipfile would read it into memory whatever it holds."""
    size = path.stat().st_size
    if not _END.size <= size <= MAX_BYTES:
        raise _refused(path, f"it has {size:,} bytes; an archive has {_END.size} to {MAX_BYTES:,}")
    with path.open("rb") as stream:
        stream.seek(-min(size, _END.size + _ZIP64_LOCATOR), 2)
        tail = stream.read()
    signature, *_, directory, _offset, comment = _END.unpack(tail[-_END.size :])
    if signature != b"PK\5\6" or comment:
        raise _refused(path, "not a zip file, or one cut short or with bytes after its end")
    if directory > _MAX_DIRECTORY or tail.startswith(b"PK\6\7"):
        raise _refused(path, "its directory is far larger than that of a region")


def _check_members(path: Path, members: list[zipfile.ZipInfo]) -> None:
    names = [info.orig_filename for info in members]
    for info, name in zip(members, names, strict=True):
        kind = stat.S_IFMT(info.external_attr >> 16)
        if name.startswith(("/", "\\")) or ".." in re.split(r"[/\\]", name) or ":" in name:
            raise _refused(path, f"the member {name!r} would lie outside its folder")
        if kind not in (0, stat.S_IFREG) or info.is_dir():
            raise _refused(path, f"the member {name!r} is a link or no plain file")
        if info.flag_bits & _ENCRYPTED or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise _refused(path, f"the member {name!r} is encrypted or packed by another method than deflate")
    if len(set(names)) < len(names):
        raise _refused(path, "it holds a name twice")
    if set(names) != set(MEMBERS):
        unknown, missing = sorted(set(names) - set(MEMBERS)), sorted(set(MEMBERS) - set(names))
        raise _refused(path, f"its members are not those of a region: unknown {unknown[:5]}, missing {missing}")
    _check_sizes(path, members)


def _check_sizes(path: Path, members: list[zipfile.ZipInfo]) -> None:
    if sum(info.file_size for info in members) > MAX_BYTES:
        raise _refused(path, f"its members declare more than {MAX_BYTES:,} bytes")
    for info in members:
        if info.file_size > MAX_RATIO * max(info.compress_size, 1):
            raise _refused(path, f"the member {info.filename!r} would unpack to over {MAX_RATIO} times its size")
        if not info.filename.endswith(".parquet") and info.file_size > _MAX_TEXT:
            raise _refused(path, f"the member {info.filename!r} is larger than {_MAX_TEXT:,} bytes")


def _unpack_member(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path, left: int) -> int:
    """Write one member and return its size; what it really holds is counted, not what it declares."""
    most, written = min(left, info.file_size), 0
    with target.open("wb") as stream:
        for chunk in _chunks(path, archive, info):
            written += len(chunk)
            if written > most:
                raise _refused(path, f"the member {info.filename!r} holds more than it declares")
            stream.write(chunk)
    if written != info.file_size:
        raise _refused(path, f"the member {info.filename!r} holds less than it declares")
    return written


def _chunks(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    try:
        with archive.open(info) as stream:
            while chunk := stream.read(_CHUNK):
                yield chunk
    except _UNREADABLE as error:
        raise _refused(path, f"the member {info.filename!r} cannot be read: {error}") from error


def _read_unpacked(path: Path, folder: Path) -> Region:
    """The region in `folder`, its manifest, tables, digests, names and licence checked."""
    try:
        _check_manifest(path, json.loads((folder / MANIFEST).read_text(encoding="utf-8")))
        for name in TABLES:
            _check_values(path, folder / f"{name}.parquet")
        region = _read_checked(path, folder)
    except _FOREIGN as error:
        raise _refused(path, f"its content cannot be read: {type(error).__name__}: {error}") from error
    if (folder / LICENCE_FILE).read_bytes() != licence_text(region.manifest).encode():
        raise _refused(path, f"{LICENCE_FILE} does not say what the manifest says of licence and attribution")
    wrong = _wrong_description(region)
    if wrong:
        raise _refused(path, wrong)
    return region


def _wrong_description(region: Region) -> str:
    """What is wrong with the Croissant description and the card of a sound region; empty where nothing is.

    The description bears the digests of card and tables as files, and is licensed as the manifest says.
    """
    for name in (CROISSANT, CARD):
        if not (region.path / name).is_file():
            return f"{name} is missing"
    try:
        stated = json.loads((region.path / CROISSANT).read_text(encoding="utf-8"))
        due = make_croissant(region.manifest, region.path)
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError) as error:
        return f"{CROISSANT} or {MANIFEST} cannot be read: {type(error).__name__}: {error}"
    if not isinstance(stated, dict) or any(stated.get(key) != due[key] for key in ("name", "license", "distribution")):
        return f"{CROISSANT} does not describe the files beside it"
    return ""


def _read_checked(path: Path, folder: Path) -> Region:
    try:
        return read_region(folder)
    except EdgeBenchError as error:
        raise _refused(path, f"{Path(error.where).name}: {error.what}") from error


def _check_manifest(path: Path, manifest: Any) -> None:
    if not isinstance(manifest, dict):
        raise _refused(path, f"{MANIFEST} is not an object")
    for key in ("licence", "attribution"):
        if not isinstance(manifest.get(key), str) or not manifest[key].strip():
            raise _refused(path, f"{MANIFEST} states no {key}")
    _check_names(manifest, str(path))


def _check_names(manifest: dict[str, Any], where: str) -> None:
    for key in ("region", "edition"):
        if not is_safe_name(manifest.get(key)):
            raise EdgeBenchError(
                f"{manifest.get(key)!r} cannot name a {key}",
                where=where,
                mend="names are small letters, digits, hyphens and underscores, at most 64",
            )


def _check_values(path: Path, file: Path) -> None:
    """Refuse a table by the number of values its header declares, before they are made."""
    with pq.ParquetFile(file) as parquet:
        header = parquet.metadata
        if header.num_columns > 1000 or header.num_row_groups > 100_000:
            raise _refused(path, f"{file.name} has {header.num_columns} columns, {header.num_row_groups} row groups")
        groups = (header.row_group(index) for index in range(header.num_row_groups))
        values = sum(group.column(column).num_values for group in groups for column in range(group.num_columns))
        if max(values, header.num_rows) > MAX_VALUES:
            raise _refused(path, f"{file.name} declares more than {MAX_VALUES:,} values")


def _stands_there(target: Path, region: Region, force: bool) -> bool:
    """Whether the same region is at `target`; a different one is an error unless it may be replaced."""
    if not target.exists():
        return False
    try:
        if read_region(target).manifest == region.manifest:
            return True
        what = "a different region is there already"
    except EdgeBenchError as error:
        what = f"a damaged region is there already ({error.what})"
    if force:
        return False
    raise EdgeBenchError(what, where=str(target), mend="replace it with --force")


def _refused(path: Path, what: str) -> EdgeBenchError:
    return EdgeBenchError(
        f"not an archive to add: {what}", where=str(path), mend="have it packed again: edgebench pack REGION"
    )
