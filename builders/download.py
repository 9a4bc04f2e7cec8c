"""One file of OpenCellID's download service to disk: streamed, resumed, refusals told apart from cells."""

from __future__ import annotations

import gzip
import hashlib
import logging
import re
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import quote, quote_plus, urlsplit

import requests
import urllib3

from edgebench.errors import EdgeBenchError

OPENCELLID_URL: Final = "https://opencellid.org/ocid/downloads"
ATTEMPTS: Final = 5
"""Connections made for one file before giving up; only faults of the network or the server are tried again."""
FIRST_PAUSE_S: Final = 1.0
"""Pause before the second attempt; each later one is twice as long."""
CHUNK: Final = 64 * 1024
"""Bytes read at once, and the most that is read of an answer that is not gzip."""

_GZIP_MAGIC: Final = b"\x1f\x8b"
_TIMEOUT_S: Final = (10.0, 60.0)
_PREVIEW: Final = 120
_QUOTA: Final = re.compile(r"rate[ _-]?limit|too many requests", re.IGNORECASE)
_TOKEN: Final = re.compile(r"invalid[ _-]?(token|(api[ _-]?)?key)", re.IGNORECASE)
_RANGE: Final = re.compile(r"bytes (\d+)-\d+/(?:\d+|\*)")


class Refused(EdgeBenchError):
    """The service answered, but with no cells: an unknown token, a file that is gone, a page."""


class QuotaUsedUp(EdgeBenchError):
    """The service counts two downloads a day for a token; asking again would not help."""


class _Broken(Exception):
    """A transfer that may succeed when tried again."""


@dataclass(frozen=True)
class Service:
    """Where files come from: `url` without query, and the `token`, which no text or file ever shows.

    `sleep` waits the given seconds between attempts; `report(label, done, total)` is told the kilobytes received.
    """

    token: str = field(repr=False)
    url: str = OPENCELLID_URL
    sleep: Callable[[float], None] = time.sleep
    report: Callable[[str, int, int], None] = lambda label, done, total: None

    def hide(self, text: str) -> str:
        """`text` with every form of the token blotted out."""
        for secret in {self.token, quote(self.token), quote(self.token, safe=""), quote_plus(self.token)} - {""}:
            text = text.replace(secret, "***")
        return text

    def source(self, kind: str, name: str) -> str:
        """The address of a file as it may be written down: without token, user and password."""
        parts = urlsplit(self.url)
        host = parts.netloc.rpartition("@")[2]
        return self.hide(f"{parts.scheme}://{host}{parts.path}?type={kind}&file={name}")


@dataclass(frozen=True)
class Contents:
    """What a gzip file of cells is: `rows` without the header, `dump_date` (ISO, UTC) from the gzip header."""

    sha256: str
    bytes: int
    rows: int
    dump_date: str | None


def download(service: Service, kind: str, name: str, target: Path) -> Contents:
    """Write the file `name` (`kind`: full, mcc or diff) to `target`, which must be a temporary path.

    A cut or short transfer is resumed where the server allows it, else begun again.

    Raises:
        QuotaUsedUp: The token's downloads of the day are used up; never tried again.
        Refused: The answer is a message or page, not cells.
        EdgeBenchError: The network failed `ATTEMPTS` times, or what arrived is a damaged gzip.
    """
    transfer = _Transfer(service, kind, name, target)
    with _token_out_of_logs(service), requests.Session() as session:
        _persist(transfer, session)
    return _inspect_answer(transfer)


def inspect(path: Path) -> Contents:
    """Read the gzip file `path` to its end.

    Raises:
        EdgeBenchError: It is truncated or damaged.
    """
    try:
        return Contents(_sha256(path), path.stat().st_size, _count_rows(path), _dump_date(path))
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise EdgeBenchError(
            f"truncated or damaged gzip: {error}",
            where=path.name,
            mend="it did not arrive whole: fetch it again with --force; OpenCellID allows two downloads a day",
        ) from error


@dataclass
class _Transfer:
    service: Service
    kind: str
    name: str
    target: Path
    done: int = 0
    validator: str = ""
    """ETag or date of the version begun, so that no other version is appended to it."""

    @property
    def where(self) -> str:
        return self.service.source(self.kind, self.name)


def _persist(transfer: _Transfer, session: requests.Session) -> None:
    reason = ""
    for attempt in range(ATTEMPTS):
        if attempt:
            transfer.service.sleep(FIRST_PAUSE_S * 2 ** (attempt - 1))
        reason = _attempt(transfer, session)
        if not reason:
            return
    raise EdgeBenchError(
        f"the transfer failed {ATTEMPTS} times, the last time because {reason}",
        where=transfer.where,
        mend="try again when the network or the server is well again",
    )


def _attempt(transfer: _Transfer, session: requests.Session) -> str:
    """Why the attempt failed, "" where the file is complete."""
    # The libraries quote the address, token included, in their messages: none of them is passed on.
    query = {"token": transfer.service.token, "type": transfer.kind, "file": transfer.name}
    try:
        with session.get(
            transfer.service.url, params=query, headers=_headers(transfer), stream=True, timeout=_TIMEOUT_S
        ) as response:
            _receive(transfer, response)
            return ""
    except _Broken as error:
        return str(error)
    except (requests.Timeout, urllib3.exceptions.TimeoutError):
        return "the server did not answer in time"
    except (requests.ConnectionError, urllib3.exceptions.HTTPError):
        return "the connection failed or was cut"
    except requests.RequestException as error:
        problem = type(error).__name__
    raise EdgeBenchError(
        f"the address cannot be asked ({problem})", where=transfer.where, mend="check EDGEBENCH_OCID_URL"
    )


def _headers(transfer: _Transfer) -> dict[str, str]:
    headers = {"Accept-Encoding": "identity"}
    if transfer.done:
        headers["Range"] = f"bytes={transfer.done}-"
        if transfer.validator:
            headers["If-Range"] = transfer.validator
    return headers


def _receive(transfer: _Transfer, response: requests.Response) -> None:
    resumed = _resumes(transfer, response)
    if not resumed:
        transfer.done = 0
    length = response.headers.get("Content-Length", "")
    expected = transfer.done + int(length) if length.isdecimal() else None
    chunk = response.raw.read(CHUNK, decode_content=False)
    if not resumed:
        _require_gzip(transfer, response.status_code, chunk, expected)
        transfer.validator = _validator(response)
    with transfer.target.open("ab" if resumed else "wb") as file:
        while chunk:
            file.write(chunk)
            transfer.done += len(chunk)
            transfer.service.report(transfer.name, transfer.done // 1024, (expected or transfer.done) // 1024)
            file.flush()
            chunk = response.raw.read(CHUNK, decode_content=False)
    if expected is not None and transfer.done != expected:
        raise _Broken(f"{transfer.done:,} bytes arrived of {expected:,}")


def _resumes(transfer: _Transfer, response: requests.Response) -> bool:
    """Whether the answer goes on where the file on disk ends; a part that does not is thrown away."""
    if response.status_code == requests.codes.requested_range_not_satisfiable and transfer.done:
        transfer.done = 0
        raise _Broken("the server could not resume it")
    if response.status_code != requests.codes.partial_content:
        return False
    span = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if span is None or not transfer.done or int(span[1]) != transfer.done:
        transfer.done = 0
        raise _Broken("the server sent another part than the one asked for")
    return True


def _require_gzip(transfer: _Transfer, status: int, head: bytes, expected: int | None) -> None:
    if status == requests.codes.ok and head.startswith(_GZIP_MAGIC):
        return
    refusal = _refusal(transfer, status, head)
    if isinstance(refusal, QuotaUsedUp):
        raise refusal
    if status >= requests.codes.internal_server_error:
        raise _Broken(f"the server answered HTTP {status}")
    if expected is not None and len(head) < min(expected, CHUNK):
        raise _Broken(f"{len(head):,} bytes arrived of {expected:,}")
    raise refusal


def _refusal(transfer: _Transfer, status: int, body: bytes) -> EdgeBenchError:
    text = transfer.service.hide(body.decode("utf-8", "replace"))
    if status == requests.codes.too_many_requests or _QUOTA.search(text):
        return QuotaUsedUp(
            "the quota of this token is used up (RATE_LIMITED): OpenCellID allows two downloads a day",
            where=transfer.where,
            mend="fetch it tomorrow, or build from a file you have: edgebench build --region NAME --cells FILE",
        )
    if status in (requests.codes.unauthorized, requests.codes.forbidden) or _TOKEN.search(text):
        return Refused(
            "OpenCellID does not accept the token (INVALID_TOKEN)",
            where=transfer.where,
            mend="check OPENCELLID_TOKEN or --token; a token is free at https://opencellid.org",
        )
    if status in (requests.codes.not_found, requests.codes.gone):
        return Refused(
            f"the server has no such file (HTTP {status})", where=transfer.where, mend="edgebench fetch --full"
        )
    shown = "".join(char if char.isprintable() else " " for char in text[:_PREVIEW]).strip()
    return Refused(
        f"HTTP {status} with a message in place of cells; it begins: {shown!r}",
        where=transfer.where,
        mend="read the message; if it says nothing, try again later",
    )


def _validator(response: requests.Response) -> str:
    """What `If-Range` may carry: a strong ETag, else the date (RFC 9110, section 13.1.5)."""
    tag = response.headers.get("ETag", "")
    return tag if tag.startswith('"') else response.headers.get("Last-Modified", "")


def _inspect_answer(transfer: _Transfer) -> Contents:
    """Check the file that arrived; a message that came compressed is a refusal like any other."""
    contents = inspect(transfer.target)
    with gzip.open(transfer.target) as text:
        head = text.read(CHUNK)
    if not contents.rows or head.lstrip()[:1] in (b"<", b"{", b"["):
        raise _refusal(transfer, requests.codes.ok, head)
    return contents


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _count_rows(path: Path) -> int:
    with gzip.open(path) as text:
        block = last = text.read(CHUNK)
        lines = -1 if block.startswith(b"radio") else 0
        while block:
            lines, last = lines + block.count(b"\n"), block
            block = text.read(CHUNK)
    return lines + (bool(last) and not last.endswith(b"\n"))


def _dump_date(path: Path) -> str | None:
    """The time of the gzip header (RFC 1952: bytes 4 to 8, 0 where unknown)."""
    with path.open("rb") as file:
        seconds = int.from_bytes(file.read(8)[4:], "little")
    return datetime.fromtimestamp(seconds, UTC).isoformat() if seconds else None


@contextmanager
def _token_out_of_logs(service: Service) -> Iterator[None]:
    """urllib3 logs the address of every request, query included, where a program logs at level DEBUG."""

    def blot(record: logging.LogRecord) -> bool:
        record.msg, record.args = service.hide(record.getMessage()), ()
        return True

    logger = logging.getLogger("urllib3.connectionpool")
    logger.addFilter(blot)
    try:
        yield
    finally:
        logger.removeFilter(blot)
