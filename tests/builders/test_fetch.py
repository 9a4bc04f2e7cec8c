"""Downloads from a service that refuses with HTTP 200, cuts connections and counts requests."""

import gzip
import hashlib
import json
import logging
import socket
import traceback

import ocid_server as ocid
import pytest
from click.testing import CliRunner
from ocid_server import TOKEN

from builders.cells import read_cells
from builders.download import ATTEMPTS, CHUNK, QuotaUsedUp, Refused, Service, inspect
from builders.fetch import Fetcher, record_path
from builders.ledger import Ledger
from edgebench.cli import main
from edgebench.errors import EdgeBenchError
from edgebench.registry import REGIONS

SWISS = ocid.rows(228, 12_000)
SWISS_GZ = ocid.packed(SWISS)
FORMS = (TOKEN, "pk.0123%2B456%2F789+secret", "pk.0123%2B456%2F789%20secret", "pk.0123%2B456/789%20secret")


@pytest.fixture
def home(tmp_path, monkeypatch):
    for name in ("EDGEBENCH_OFFLINE", "OPENCELLID_TOKEN", "EDGEBENCH_OCID_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("EDGEBENCH_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def raw(home):
    return home / "raw"


@pytest.fixture
def server(home):
    with ocid.running() as running:
        running.files["228.csv.gz"] = SWISS_GZ
        yield running


@pytest.fixture
def pauses():
    return []


@pytest.fixture
def remarks():
    return []


@pytest.fixture
def fetcher(server, pauses, remarks):
    def make(force=False, **service):
        given = {"token": TOKEN, "url": server.url, "sleep": pauses.append} | service
        return Fetcher(Service(**given), force=force, tell=remarks.append)

    return make


def left_in(folder):
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def assert_no_token(text):
    for form in FORMS:
        assert form not in text


def full_dump(*mccs):
    return [ocid.HEADER, *(line for mcc in mccs for line in ocid.rows(mcc, 50))]


def test_a_file_and_its_record_arrive(server, fetcher, raw, pauses):
    seen = []
    path = fetcher(report=lambda *step: seen.append(step)).mcc(228)
    assert path == raw / "228.csv.gz" and path.read_bytes() == SWISS_GZ
    record = json.loads(record_path(path).read_text())
    assert record.pop("fetched").endswith("+00:00")
    assert record == {
        "file": "228.csv.gz",
        "sha256": hashlib.sha256(SWISS_GZ).hexdigest(),
        "bytes": len(SWISS_GZ),
        "rows": 12_000,
        "source": f"{server.url}?type=mcc&file=228.csv.gz",
        "dump_date": "2026-03-01T02:30:05+00:00",
    }
    assert left_in(raw) == ["228.csv.gz", "228.csv.gz.json"]
    assert seen[-1] == ("228.csv.gz", len(SWISS_GZ) // 1024, len(SWISS_GZ) // 1024) and len(seen) > 2
    assert (server.names(), pauses) == (["228.csv.gz"], [])


def test_an_existing_file_is_kept_unless_forced(server, fetcher, raw, remarks):
    raw.mkdir(parents=True)
    (raw / "228.csv.gz").write_bytes(b"mine")
    assert fetcher(token="").mcc(228).read_bytes() == b"mine"
    assert server.asked == [] and "kept" in remarks[0]
    assert fetcher(force=True).mcc(228).read_bytes() == SWISS_GZ


@pytest.mark.parametrize("at", [0, 1, 1000, 2 * CHUNK, len(SWISS_GZ) - 1])
def test_a_cut_connection_is_resumed_where_the_file_on_disk_ends(server, fetcher, pauses, at):
    server.script["228.csv.gz"] = [ocid.cut(at)]
    assert fetcher().mcc(228).read_bytes() == SWISS_GZ
    done = at if at > 1 else 0  # one byte does not tell gzip from a message
    again = server.asked[1][1]
    assert (again["Range"], again["If-Range"]) == ((f"bytes={done}-", '"v1"') if done else (None, None))
    assert pauses == [1.0]


def test_without_ranges_a_cut_transfer_begins_again(server, fetcher):
    server.script["228.csv.gz"] = [ocid.cut(2 * CHUNK), ocid.whole]
    assert fetcher().mcc(228).read_bytes() == SWISS_GZ
    assert server.asked[1][1]["Range"] == f"bytes={2 * CHUNK}-"


def test_another_version_is_not_appended(server, fetcher):
    newer = ocid.packed(ocid.rows(228, 12_000, seed=1))

    def first(handler, body):
        handler.answer(200, body[: 2 * CHUNK], Content_Length=str(len(body)), ETag='"v0"')
        server.files["228.csv.gz"] = newer

    server.script["228.csv.gz"] = [first]
    assert fetcher().mcc(228).read_bytes() == newer


@pytest.mark.parametrize(
    "odd", [ocid.part(416, "bytes */7"), ocid.part(206, "bytes 5-7/8"), ocid.part(206, "nonsense")]
)
def test_a_part_that_does_not_fit_is_thrown_away(server, fetcher, odd):
    server.script["228.csv.gz"] = [ocid.cut(2 * CHUNK), odd]
    assert fetcher().mcc(228).read_bytes() == SWISS_GZ
    assert server.asked[2][1]["Range"] is None


def test_a_part_nobody_asked_for_is_a_broken_transfer(server, fetcher):
    server.script["228.csv.gz"] = [ocid.part(206, "bytes 0-2/3")]
    assert fetcher().mcc(228).read_bytes() == SWISS_GZ


def test_a_cut_in_chunked_encoding_is_noticed(server, fetcher, pauses):
    server.script["228.csv.gz"] = [ocid.chunked_cut(3 * CHUNK)]
    assert fetcher().mcc(228).read_bytes() == SWISS_GZ
    assert pauses == [1.0]


@pytest.mark.parametrize("fault", [ocid.hang_up, ocid.status(500), ocid.status(503, b"<html>busy"), ocid.length(+9)])
def test_faults_are_tried_again_with_growing_pauses_until_patience_ends(server, fetcher, raw, pauses, fault):
    server.script["228.csv.gz"] = [fault] * ATTEMPTS
    with pytest.raises(EdgeBenchError, match=f"failed {ATTEMPTS} times") as caught:
        fetcher().mcc(228)
    assert pauses == [1.0, 2.0, 4.0, 8.0]
    assert len(server.asked) == ATTEMPTS and left_in(raw) == []
    assert_no_token(str(caught.value))


def test_a_file_arrives_at_the_last_attempt(server, fetcher, pauses):
    server.script["228.csv.gz"] = [ocid.hang_up, ocid.status(502), ocid.length(+9), ocid.cut(CHUNK)]
    assert fetcher().mcc(228).read_bytes() == SWISS_GZ
    assert len(pauses) == ATTEMPTS - 1


def test_a_server_that_is_not_there(fetcher, raw):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(EdgeBenchError, match="the connection failed") as caught:
        fetcher(url=f"http://127.0.0.1:{port}/").mcc(228)
    assert_no_token("".join(traceback.format_exception(caught.value)))
    assert left_in(raw) == []


def test_a_silent_server_is_not_waited_for(server, fetcher, monkeypatch):
    monkeypatch.setattr("builders.download._TIMEOUT_S", 0.05)
    released = ocid.threading.Event()
    server.script["228.csv.gz"] = [lambda handler, body: released.wait(30)] * ATTEMPTS
    try:
        with pytest.raises(EdgeBenchError, match="did not answer in time"):
            fetcher().mcc(228)
    finally:
        released.set()


def test_an_address_that_is_none(fetcher, pauses):
    with pytest.raises(EdgeBenchError, match="EDGEBENCH_OCID_URL") as caught:
        fetcher(url="no address").mcc(228)
    assert_no_token("".join(traceback.format_exception(caught.value)))
    assert pauses == []


@pytest.mark.parametrize("short", [1, len(SWISS_GZ) // 2, len(SWISS_GZ) - 20])
@pytest.mark.parametrize("told", [True, False])
def test_a_truncated_gzip_fails_and_is_not_asked_for_twice(server, fetcher, raw, short, told):
    answer = ocid.length(-short) if told else lambda handler, body: ocid.without_length(handler, body[:-short])
    server.script["228.csv.gz"] = [answer]
    with pytest.raises(EdgeBenchError, match="truncated or damaged gzip"):
        fetcher().mcc(228)
    assert len(server.asked) == 1 and left_in(raw) == []


def test_a_file_without_stated_length_arrives(server, fetcher):
    server.script["228.csv.gz"] = [ocid.without_length]
    assert fetcher().mcc(228).read_bytes() == SWISS_GZ


QUOTA = [
    ocid.message("RATE_LIMITED"),
    ocid.message("RATE_LIMITED", 403),
    ocid.message("RATE_LIMITED", 503),
    ocid.status(200, b'<rsp stat="fail"><err info="RATE_LIMITED" code="7"/></rsp>'),
    ocid.status(200, b"<html><body>Rate limit exceeded</body></html>"),
    ocid.status(429, b""),
    ocid.status(200, b"RATE_LIMITED", Content_Length="99"),
    ocid.status(200, gzip.compress(b'{"message":"RATE_LIMITED"}'), Content_Encoding="gzip"),
]


@pytest.mark.parametrize("answer", QUOTA)
def test_a_used_up_quota_is_final(server, fetcher, raw, pauses, answer):
    server.files["cell_towers.csv.gz"] = ocid.packed(full_dump(228))
    server.script["228.csv.gz"] = [answer]
    with pytest.raises(QuotaUsedUp, match="two downloads a day"):
        fetcher().mcc(228)
    assert (server.names(), pauses, left_in(raw)) == (["228.csv.gz"], [], [])


def test_a_quota_used_up_between_two_attempts_is_final(server, fetcher, raw, pauses):
    server.script["228.csv.gz"] = [ocid.cut(2 * CHUNK), ocid.message("RATE_LIMITED")]
    with pytest.raises(QuotaUsedUp):
        fetcher().mcc(228)
    assert len(server.asked) == 2 and pauses == [1.0] and left_in(raw) == []


REFUSALS = [
    (ocid.message("INVALID_TOKEN"), "does not accept the token"),
    (ocid.status(401), "does not accept the token"),
    (ocid.status(403, b"Forbidden"), "does not accept the token"),
    (ocid.status(200, b'<rsp stat="fail"><err info="Invalid api key" code="1"/></rsp>'), "does not accept the token"),
    (ocid.status(200, b"<html><body>Down for repair"), "it begins: '<html><body>Down for repair'"),
    (ocid.status(200, b'{"error":\n"%b"}' % TOKEN.encode()), r"it begins: '{\"error\": \"\*\*\*\"}'"),
    (ocid.status(200, b"", Content_Length="0"), "message in place of cells"),
    (ocid.status(200, gzip.compress(b"<html>later</html>"), Content_Encoding="gzip"), "begins: '<html>later</html>'"),
    (ocid.status(200, gzip.compress(b"")), "message in place of cells"),
    (ocid.status(404, b"gone"), "no such file"),
    (ocid.status(410), "no such file"),
    (ocid.page_then("RATE_LIMITED"), "it begins: '<html>'"),
]


@pytest.mark.parametrize(("answer", "said"), REFUSALS)
def test_a_refusal_is_told_and_never_kept(server, fetcher, raw, pauses, answer, said):
    server.script["cell_towers.csv.gz"] = [answer]
    with pytest.raises(Refused, match=said) as caught:
        fetcher().full()
    assert caught.value.mend and caught.value.where == f"{server.url}?type=full&file=cell_towers.csv.gz"
    assert_no_token("".join(traceback.format_exception(caught.value)))
    assert (len(server.asked), pauses, left_in(raw)) == (1, [], [])


def test_a_refusal_leaves_the_older_file_in_place(server, fetcher):
    path = fetcher().mcc(228)
    before = path.read_bytes(), record_path(path).read_bytes()
    server.script["228.csv.gz"] = [ocid.message("RATE_LIMITED")]
    with pytest.raises(QuotaUsedUp):
        fetcher(force=True).mcc(228)
    assert (path.read_bytes(), record_path(path).read_bytes()) == before


@pytest.mark.parametrize("gone", [ocid.status(404), ocid.message("INVALID_TOKEN"), ocid.status(200, b"<html>moved")])
def test_a_country_without_file_is_cut_from_the_full_one(server, fetcher, raw, remarks, gone):
    server.files["cell_towers.csv.gz"] = ocid.packed(full_dump(208, 228, 262))
    server.script["228.csv.gz"] = [gone]
    path = fetcher().mcc(228)
    assert gzip.decompress(path.read_bytes()).decode().splitlines() == [ocid.HEADER, *ocid.rows(228, 50)]
    assert path.read_bytes()[3:8] == bytes(5), "neither name nor time in the gzip header"
    assert "taking its rows from the full file" in remarks[0]
    record = json.loads(record_path(path).read_text())
    full = inspect(raw / "cell_towers.csv.gz")
    assert (record["rows"], record["dump_date"]) == (50, full.dump_date) and full.rows == 150
    assert record["parts"] == [{"file": "cell_towers.csv.gz", "sha256": full.sha256, "dump_date": full.dump_date}]
    assert read_cells(path, Ledger()).height == 50


def test_the_same_full_file_gives_the_same_bytes(server, fetcher):
    del server.files["228.csv.gz"]
    server.files["cell_towers.csv.gz"] = ocid.packed(full_dump(208, 228))
    first = fetcher().mcc(228).read_bytes()
    assert fetcher(force=True).mcc(228).read_bytes() == first


@pytest.mark.parametrize("form", [lambda lines: lines[1:], lambda lines: [f"{line}\r" for line in lines]])
def test_a_full_file_without_header_or_with_crlf_is_cut_alike(server, fetcher, form):
    del server.files["228.csv.gz"]
    server.files["cell_towers.csv.gz"] = ocid.packed(form(full_dump(208, 228)))
    lines = gzip.decompress(fetcher().mcc(228).read_bytes()).decode().split("\n")
    assert lines == [ocid.HEADER, *ocid.rows(228, 50), ""]


def test_a_country_in_neither_file(server, fetcher, raw):
    server.files["cell_towers.csv.gz"] = ocid.packed(full_dump(208, 228))
    with pytest.raises(EdgeBenchError, match="no cell of MCC 404"):
        fetcher().mcc(404)
    assert left_in(raw) == ["cell_towers.csv.gz", "cell_towers.csv.gz.json"]


def test_a_full_file_of_other_columns_is_refused_with_its_line(server, fetcher):
    server.files["cell_towers.csv.gz"] = ocid.packed(["radio,lat,lon,mcc", "LTE,1,2,404"])
    with pytest.raises(EdgeBenchError, match=r"cell_towers.csv.gz, line 1"):
        fetcher().mcc(404)


@pytest.mark.parametrize(("end", "odd"), [("", "LTE"), ("\r", "WLAN")])
def test_a_large_full_file_is_cut_block_by_block_and_an_odd_row_is_named(server, fetcher, monkeypatch, end, odd):
    monkeypatch.setattr("builders.raw_text.BLOCK", 4096)
    monkeypatch.setattr("builders.raw_text.PACKED", 512)
    lines = [ocid.HEADER, *ocid.rows(262, 200), *ocid.rows(404, 100), ocid.rows(208, 1)[0].replace("LTE", odd)]
    server.files["cell_towers.csv.gz"] = ocid.packed([line + end for line in lines])
    if odd == "LTE":
        cut = gzip.decompress(fetcher().mcc(404).read_bytes()).decode().splitlines()
        assert cut == [ocid.HEADER, *ocid.rows(404, 100)]
    else:
        with pytest.raises(EdgeBenchError, match="line 302"):
            fetcher().mcc(404)


def test_the_codes_of_a_region_are_joined(server, fetcher, raw):
    older = ocid.BUILT - 86400
    server.files["234.csv.gz"] = ocid.packed(ocid.rows(234, 30))
    server.files["235.csv.gz"] = ocid.packed(ocid.rows(235, 20), mtime=older)
    path = fetcher().region(REGIONS["s2"])
    assert path == raw / "s2.csv.gz"
    lines = gzip.decompress(path.read_bytes()).decode().splitlines()
    assert lines == [ocid.HEADER, *ocid.rows(234, 30), *ocid.rows(235, 20)]
    record = json.loads(record_path(path).read_text())
    assert [part["file"] for part in record["parts"]] == ["234.csv.gz", "235.csv.gz"]
    assert record["dump_date"] == "2026-02-28T02:30:05+00:00"
    assert len(server.asked) == 2 and fetcher(token="").region(REGIONS["s2"]) == path and len(server.asked) == 2


@pytest.mark.parametrize("force", [False, True])
def test_the_full_file_is_fetched_once_for_all_codes_of_a_region(server, fetcher, raw, force):
    server.files["cell_towers.csv.gz"] = ocid.packed(full_dump(234, 235, 262))
    assert inspect(fetcher(force=force).region(REGIONS["s2"])).rows == 100
    assert server.names() == ["234.csv.gz", "cell_towers.csv.gz", "235.csv.gz"]
    record = json.loads((raw / "s2.csv.gz.json").read_text())
    assert record["dump_date"] == "2026-03-01T02:30:05+00:00", "the date of the full file, handed on"


def test_a_region_of_one_code_is_its_file(fetcher, raw):
    assert fetcher().region(REGIONS["s1"]) == raw / "228.csv.gz"


def test_offline_names_the_file_and_its_place_before_any_connection(server, fetcher, raw, monkeypatch):
    monkeypatch.setenv("EDGEBENCH_OFFLINE", "1")
    for ask, name in ((lambda: fetcher().mcc(228), "228.csv.gz"), (lambda: fetcher().full(), "cell_towers.csv.gz")):
        with pytest.raises(EdgeBenchError, match=f"put {name} of OpenCellID there") as caught:
            ask()
        assert caught.value.where == str(raw / name)
    assert server.asked == [] and left_in(raw) == []


def test_offline_uses_what_is_there(server, fetcher, raw, monkeypatch):
    monkeypatch.setenv("EDGEBENCH_OFFLINE", "1")
    raw.mkdir(parents=True)
    (raw / "cell_towers.csv.gz").write_bytes(ocid.packed(full_dump(208, 228)))
    assert inspect(fetcher().mcc(228)).rows == 50
    assert fetcher().full() == raw / "cell_towers.csv.gz"
    assert server.asked == []


def test_without_a_token_nothing_is_asked(server, fetcher):
    with pytest.raises(EdgeBenchError, match="a token is needed to download 228"):
        fetcher(token="").mcc(228)
    assert server.asked == []


def test_the_source_holds_neither_token_nor_password(server, fetcher):
    path = fetcher(url=server.url.replace("http://", "http://me:pass@") + "?key=pass").mcc(228)
    assert json.loads(record_path(path).read_text())["source"] == f"{server.url}?type=mcc&file=228.csv.gz"


@pytest.fixture
def run(server, monkeypatch):
    """Call the verb with a token in the environment; pauses take no time."""
    monkeypatch.setenv("EDGEBENCH_OCID_URL", server.url)
    monkeypatch.setenv("OPENCELLID_TOKEN", TOKEN)
    monkeypatch.setattr("builders.download.FIRST_PAUSE_S", 0.0)
    return lambda *arguments: CliRunner().invoke(main, ["fetch", *arguments], prog_name="edgebench")


@pytest.mark.parametrize("arguments", [["--region", "s1"], ["--mcc", "228"], ["--mcc", "228", "--token", TOKEN]])
def test_the_verb_prints_where_the_file_is(run, raw, arguments):
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    printed = json.loads(result.stdout)
    assert (printed["path"], printed["rows"]) == (str(raw / "228.csv.gz"), 12_000)
    assert printed["sha256"] in run(*arguments).stdout


def test_the_verb_fetches_the_full_file_and_says_what_it_falls_back_to(run, server, raw):
    server.files["cell_towers.csv.gz"] = ocid.packed(full_dump(208, 228))
    assert run("--full").exit_code == 0
    fallen = run("--mcc", "208", "--json")
    assert json.loads(fallen.stdout)["rows"] == 50
    assert "taking its rows from the full file" in fallen.stderr and "kept" in fallen.stderr


def test_the_verb_tells_a_file_put_there_by_hand(run, raw):
    raw.mkdir(parents=True)
    (raw / "228.csv.gz").write_bytes(SWISS_GZ)
    assert json.loads(run("--mcc", "228", "--json").stdout) == {"path": str(raw / "228.csv.gz")}


@pytest.mark.parametrize("arguments", [[], ["--full", "--mcc", "228"], ["--region", "s1", "--full"]])
def test_the_verb_wants_one_choice(run, arguments):
    result = run(*arguments)
    assert result.exit_code == 2 and "which cells?" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"), [(["--region", "s11"], "did you mean 's1'?"), (["--mcc", "1"], "--mcc")]
)
def test_the_verb_refuses_unknown_places(run, server, arguments, said):
    result = run(*arguments)
    assert result.exit_code == 2 and said in result.stderr and server.asked == []


@pytest.mark.parametrize(
    "script",
    [
        [],
        [ocid.status(500, TOKEN.encode())] * ATTEMPTS,
        [ocid.message(f"INVALID_TOKEN {TOKEN}"), ocid.message("INVALID_TOKEN")],
        [ocid.message(f"{TOKEN} is RATE_LIMITED")],
        [ocid.status(200, f"<html>{TOKEN}".encode())],
        [ocid.status(302, Location=f"/elsewhere?file=228.csv.gz&token={FORMS[1]}")],
    ],
)
def test_the_token_is_in_nothing_written(run, server, home, caplog, script):
    server.script["228.csv.gz"] = list(script)
    with caplog.at_level(logging.DEBUG):
        result = run("--mcc", "228", "--debug")
    assert "/ocid/downloads" in caplog.text, "urllib3 logs the requests, so the search is not in vain"
    assert_no_token(caplog.text + result.output + result.stderr)
    for path in home.rglob("*"):
        assert_no_token(path.name + (path.read_bytes().decode("latin-1") if path.is_file() else ""))


def test_the_token_is_not_in_the_representation(fetcher):
    assert_no_token(repr(fetcher()))
