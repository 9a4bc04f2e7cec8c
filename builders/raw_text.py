"""Raw files -> text: gzip or plain, in blocks of whole lines, so that a dump of any length fits in memory."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO, Final

from isal import isal_zlib

from edgebench.errors import EdgeBenchError

BLOCK: Final = 8 * 2**20
"""Bytes of text read and gathered before they are cut at a line's end; of this size a C library reuses memory."""
PACKED: Final = 2**20
"""Bytes of gzip unpacked at once."""
DOWNLOAD_AGAIN: Final = "download the file again; a refused token or a used-up quota yields a message, not cells"

_GZIP_MAGIC: Final = b"\x1f\x8b"
_GZIP_FORM: Final = 31
"""What zlib calls gzip."""
_DAMAGED: type[Exception] = isal_zlib.error  # type: ignore[assignment]  # its stub calls it an instance
_BOM: Final = b"\xef\xbb\xbf"
_PREVIEW: Final = 100


def text_blocks(path: Path) -> Iterator[bytes]:
    """The file's text, decompressed and without a byte-order mark, in blocks that end with a line.

    The next block is read and unpacked while the caller works on the last.

    Raises:
        EdgeBenchError: The file is missing, empty, a damaged gzip, or begins like a web page or a message.
    """
    if not path.is_file():
        raise EdgeBenchError(
            "no such file of cells", where=str(path), mend="give the path of a downloaded CSV or .csv.gz"
        )
    blocks = _whole_lines(_pieces(path))
    first = next(blocks, b"").removeprefix(_BOM)
    _refuse_what_is_no_table(first, path)
    yield first
    with ThreadPoolExecutor(1) as reader:
        coming = reader.submit(next, blocks, None)
        while (block := coming.result()) is not None:
            coming = reader.submit(next, blocks, None)
            yield block


def preview(text: bytes) -> str:
    """The first characters, quoted and printable, for a message."""
    shown = text[:_PREVIEW].decode("utf-8", "replace")
    return repr("".join(char if char.isprintable() else " " for char in shown).strip())


def _whole_lines(pieces: Iterator[bytes]) -> Iterator[bytes]:
    held: list[bytes] = []
    for piece in pieces:
        end = piece.rfind(b"\n") + 1
        if end and sum(map(len, held)) + end >= BLOCK:
            yield b"".join([*held, memoryview(piece)[:end]])
            held = [piece[end:]]
        else:
            held.append(piece)
    if rest := b"".join(held):
        yield rest


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        packed = file.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
        file.seek(0)
        if packed:
            yield from _unpacked(file, path)
            return
        if path.suffix == ".gz" and (start := file.read(_PREVIEW)):
            raise EdgeBenchError(
                f"named .gz but not gzip; it begins: {preview(start)}", where=str(path), mend=DOWNLOAD_AGAIN
            )
        while piece := file.read(BLOCK):
            yield piece


def _unpacked(file: BinaryIO, path: Path) -> Iterator[bytes]:
    """Every member of a gzip file in turn; each must end as gzip ends, with its length and checksum."""
    try:
        packed = file.read(PACKED)
        while packed:
            member = isal_zlib.decompressobj(_GZIP_FORM)
            while not member.eof:
                piece = member.decompress(packed, BLOCK)
                packed = member.unconsumed_tail
                yield piece
                if not (packed or member.eof or len(piece) == BLOCK):
                    packed = _more(file, path)
            packed = (member.unused_data or file.read(PACKED)).lstrip(b"\0")
    except _DAMAGED as error:
        raise _damaged(str(error), path) from error


def _more(file: BinaryIO, path: Path) -> bytes:
    if packed := file.read(PACKED):
        return packed
    raise _damaged("it ends before its last block", path)


def _damaged(reason: str, path: Path) -> EdgeBenchError:
    return EdgeBenchError(
        f"truncated or damaged gzip: {reason}", where=str(path), mend="it did not arrive whole: download it again"
    )


def _refuse_what_is_no_table(text: bytes, path: Path) -> None:
    if not text or text.isspace():
        raise EdgeBenchError("the file of cells is empty", where=str(path), mend=DOWNLOAD_AGAIN)
    if text.lstrip()[:1] in (b"<", b"{", b"["):
        raise EdgeBenchError(
            f"a web page or message, not a table of cells; it begins: {preview(text)}",
            where=str(path),
            mend=DOWNLOAD_AGAIN,
        )
