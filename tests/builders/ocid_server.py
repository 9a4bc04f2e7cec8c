"""A server on 127.0.0.1 that answers as OpenCellID's download service does, its bad days included."""

from __future__ import annotations

import gzip
import io
import random
import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

TOKEN = "pk.0123+456/789 secret"
"""A token with characters an address has to escape."""
HEADER = "radio,mcc,net,area,cell,unit,lon,lat,range,samples,changeable,created,updated,averageSignal"
BUILT = 1772332205
"""2026-03-01T02:30:05 UTC, the time in the gzip header."""


def rows(mcc, count, seed=0):
    """Lines of cells that hardly compress, so that a file has several chunks."""
    draw = random.Random(f"{mcc} {seed}")
    return [
        f"LTE,{mcc},{draw.randrange(9)},{draw.randrange(65536)},{draw.randrange(2**28)},0,{draw.uniform(6, 10):.6f},"
        f"{draw.uniform(45, 48):.6f},1000,{draw.randrange(99)},1,1700000000,{draw.randrange(17 * 10**8, 18 * 10**8)},0"
        for _ in range(count)
    ]


def packed(lines, mtime=BUILT):
    body = io.BytesIO()
    with gzip.GzipFile("cells.csv", "wb", fileobj=body, mtime=mtime) as file:
        file.write("".join(f"{line}\n" for line in lines).encode())
    return body.getvalue()


class OcidServer(ThreadingHTTPServer):
    """Serves `files` to those with the token; `script[name]` holds answers given first, one a request."""

    daemon_threads = False
    block_on_close = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files, self.script, self.asked = {}, {}, []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/ocid/downloads"

    def names(self):
        return [name for name, _ in self.asked]


@contextmanager
def running():
    with OcidServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        name = query["file"]
        self.server.asked.append((name, self.headers))
        script = self.server.script.get(name, [])
        body = self.server.files.get(name)
        if script:
            script.pop(0)(self, body)
        elif query["token"] != TOKEN:
            message("INVALID_TOKEN")(self, body)
        elif body is None:
            status(404, b"<html><title>Not found</title></html>")(self, body)
        else:
            whole_or_part(self, body)

    def log_message(self, *_):
        return

    def answer(self, code, body, **headers):
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        try:
            self.wfile.write(body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True


def whole(handler, body):
    handler.answer(200, body, Content_Type="application/gzip", Content_Length=str(len(body)), ETag='"v1"')


def whole_or_part(handler, body):
    span = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range", ""))
    if span is None or handler.headers.get("If-Range", '"v1"') != '"v1"':
        return whole(handler, body)
    start = int(span[1])
    part = f"bytes {start}-{len(body) - 1}/{len(body)}"
    return handler.answer(206, body[start:], Content_Range=part, Content_Length=str(len(body) - start))


def cut(at):
    """Announce the whole file and hang up after `at` bytes."""
    return lambda handler, body: handler.answer(200, body[:at], Content_Length=str(len(body)), ETag='"v1"')


def chunked_cut(at):
    """As `cut`, of a transfer in chunks that states no length."""

    def send(handler, body):
        handler.protocol_version = "HTTP/1.1"
        handler.close_connection = True
        handler.answer(200, b"%x\r\n%b" % (len(body), body[:at]), Transfer_Encoding="chunked", Connection="close")

    return send


def length(wrong):
    """The whole body under a wrong Content-Length."""
    return lambda handler, body: handler.answer(200, body, Content_Length=str(len(body) + wrong))


def without_length(handler, body):
    handler.answer(200, body)


def status(code, body=b"", **headers):
    return lambda handler, _: handler.answer(code, body, **headers)


def part(code, span):
    return lambda handler, body: handler.answer(code, b"xyz", Content_Range=span, Content_Length="3")


def message(text, code=200):
    """The service's refusal: HTTP 200 and a small JSON body."""
    body = b'{"status":"error","message":"%b"}' % text.encode()
    return status(code, body, Content_Type="application/json", Content_Length=str(len(body)))


def hang_up(handler, _body):
    handler.close_connection = True


def page_then(text):
    """A page of more than 64 KB that names `text` only afterwards, then goes on for ever."""

    def send(handler, _body):
        handler.send_response(200)
        handler.end_headers()
        try:
            handler.wfile.write(b"<html>" + b" " * 70_000 + text.encode())
            while True:
                handler.wfile.write(b" " * 65_536)
        except (BrokenPipeError, ConnectionResetError):
            handler.close_connection = True

    return send
