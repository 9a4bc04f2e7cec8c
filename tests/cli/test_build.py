"""Building at the command line: what is told, and every bad file refused with nothing half-written."""

import gzip

import pytest

HEADER = "radio,mcc,net,area,cell,unit,lon,lat,range,samples,changeable,created,updated,averageSignal"
REAL = "228_mls_202403.csv.gz"


def cell(number, *, mcc=228, lon=None, lat=None):
    """One well-formed LTE cell on a mast of its own in Switzerland."""
    lon = 6.2 + 3.2 * (number * 0.618034 % 1) if lon is None else lon
    lat = 46.2 + 1.3 * (number * 0.754878 % 1) if lat is None else lat
    return f"LTE,{mcc},1,100,{256 * (1000 + number) + 1},0,{lon:.6f},{lat:.6f},1000,20,1,1600000000,1700000000,0"


def csv(*rows, end="\n"):
    return (end.join([HEADER, *rows]) + end).encode()


ROWS = [cell(number) for number in range(200)]
BAD = {
    "empty": ("cells.csv", b""),
    "empty gzip": ("cells.csv.gz", gzip.compress(b"")),
    "header only": ("cells.csv", csv()),
    "truncated gzip": ("cells.csv.gz", gzip.compress(csv(*ROWS))[:-200]),
    "web page": ("cells.csv.gz", b"<!DOCTYPE html><html><body>Invalid token</body></html>"),
    "json page": ("cells.csv.gz", b'{"error": "Invalid token", "code": 401}'),
    "wrong columns": ("cells.csv", b"name,age\nAda,36\nAlan,41\n"),
    "swapped coordinates": ("cells.csv", csv(*(cell(n, lon=46.5 + n / 900, lat=7.5 + n / 900) for n in range(200)))),
    "another country": ("cells.csv", csv(*(cell(n, mcc=262) for n in range(200)))),
    "too few sites": ("cells.csv", csv(*ROWS[:12])),
}


@pytest.mark.parametrize("name", list(BAD))
def test_a_bad_file_is_refused_and_leaves_nothing(run, home, tmp_path, name):
    file, content = BAD[name]
    path = tmp_path / file
    path.write_bytes(content)
    result = run("build", "--region", "s1", "--cells", path)
    assert result.exit_code == 2, result.output
    assert result.stderr.startswith("error: ") and "\n  mend: " in result.stderr
    assert result.stderr.count("error: ") == 1 and "Traceback" not in result.output
    assert not [found for found in home.rglob("*") if found.is_file()]


def test_line_ends_and_byte_order_mark_change_nothing(run_json, home, tmp_path):
    rows = [cell(number) for number in range(2000)]
    digests = set()
    for name, content in (
        ("unix", csv(*rows)),
        ("dos", csv(*rows, end="\r\n")),
        ("mark", b"\xef\xbb\xbf" + csv(*rows)),
    ):
        path = tmp_path / f"{name}.csv"
        path.write_bytes(content)
        (manifest,) = run_json("build", "--region", "s1", "--cells", path, "--edition", name)
        assert manifest["edition"] == name
        digests.add(manifest["digest"])
    assert len(digests) == 1


def test_the_summary_tells_drops_figures_digest_and_time(run, home):
    result = run("build", "--region", "s1")
    assert result.exit_code == 0, result.stderr
    words = " ".join(result.stdout.split())
    for said in ("nodes 25 25", "fewer than 2 samples", "mcc is none of 228", "digest ", "seconds "):
        assert said in words


def test_a_second_build_keeps_what_is_there(run, run_json, built, home):
    import shutil

    shutil.copytree(built, home)
    manifest = home / "processed" / "sample" / "s1" / "manifest.json"
    before = manifest.stat().st_mtime_ns
    result = run("build", "--region", "s1")
    assert result.exit_code == 0 and "built already" in result.stderr
    assert manifest.stat().st_mtime_ns == before
    (again,) = run_json("build", "--region", "s1", "--force")
    assert again["seconds"] > 0
    assert manifest.stat().st_mtime_ns > before


def test_another_seed_under_the_same_edition_is_refused(run, with_s1):
    result = run("build", "--region", "s1", "--seed", "7")
    assert result.exit_code == 2
    assert "was built from seed 0" in result.stderr and "--force" in result.stderr


def test_other_cells_under_the_same_edition_are_refused(run, home, tmp_path):
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_bytes(csv(*(cell(number) for number in range(2000))))
    second.write_bytes(csv(*(cell(number) for number in range(1999))))
    assert run("build", "--region", "s1", "--cells", first).exit_code == 0
    result = run("build", "--region", "s1", "--cells", second)
    assert result.exit_code == 2
    assert "other cells (a.csv)" in result.stderr
