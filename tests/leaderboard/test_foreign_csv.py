"""Results that were played elsewhere: every problem at once with its line, and nothing in them takes effect."""

import csv
import io
import json

import pytest
from board_toy import COLUMNS, DIGESTS, all_rows, changed, csv_text, failed, rules
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import edgebench
from edgebench.errors import EdgeBenchError
from edgebench.leaderboard.board import rank, read_board
from edgebench.leaderboard.inert import inert_cell, inert_markdown
from edgebench.leaderboard.page import as_csv, as_page
from edgebench.leaderboard.results import submit_results, validate_results
from edgebench.leaderboard.validate import validate
from edgebench.leaderboard.verify import verify

URL = "https://example.org/agent?version=2"
HEAD = [f"# edgebench_version: {edgebench.__version__}", *(f"# region {name}: {DIGESTS[name]}" for name in DIGESTS)]
FIRST = len(HEAD) + 2
"""The line of the first episode."""


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("EDGEBENCH_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def write(tmp_path):
    def results(rows=None, head=HEAD):
        path = tmp_path / "results.csv"
        path.write_text("\n".join([*head, csv_text(all_rows() if rows is None else rows)]), encoding="utf-8")
        return path

    return results


def found(path):
    return [str(problem) for problem in validate_results(path, rules)]


def test_results_in_order_are_entered_self_reported_and_can_only_be_unreproducible(write, home):
    rows = all_rows()
    rows[3] = failed(rows[3])
    entry = submit_results(write(rows), "elsewhere", URL, rules=rules)
    assert sorted(path.name for path in entry.iterdir()) == ["episodes.csv", "manifest.json", "summary.json"]
    assert validate(entry, rules) == []
    manifest = json.loads((entry / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["agent"] == {"name": "elsewhere", "kind": "elsewhere", "sha256": "", "url": URL}
    (table,) = rank(read_board("route", "sample"))
    assert [str(row.status) for _, row in table.rows] == ["self-reported"]
    assert verify(entry).status == "unreproducible"
    (table,) = rank(read_board("route", "sample"))
    assert [str(row.status) for _, row in table.rows] == ["unreproducible"]


def test_rows_may_stand_in_any_order_and_lines_may_end_as_on_windows(write, home):
    path = write(all_rows()[::-1])
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert found(path) == []
    assert "\r" not in (submit_results(path, "a", URL, rules=rules) / "episodes.csv").read_text(encoding="utf-8")


def test_all_problems_are_listed_at_once_with_their_lines(write, home):
    rows = changed(changed(all_rows(), 1, utility="2.0"), 4, status="fine", detail="=cmd|' /C calc'!A0")
    path = write([*rows[:-1], rows[0]], [*HEAD[:-1], "# colour: blue", HEAD[0]])
    lines = found(path)
    first = len(HEAD) + 3
    assert [line for line in lines if ", row " not in line] == [
        "results.csv: region s2 was not played, the board asks for it",
        "results.csv: 1 episodes of region s2 are missing: window 1 seed 1",
    ]
    for number, said in (
        (3, "no line of the head, or one told before: '# colour: blue'"),
        (4, "no line of the head, or one told before: '# edgebench_version"),
        (first + 1, "utility is 2.0, above 1"),
        (first + 4, "status is 'fine'"),
        (first + 4, "detail is"),
        (first + 7, f"the same episode as row {first}"),
    ):
        assert any(line.startswith(f"results.csv, row {number}: {said}") for line in lines), (number, said, lines)
    with pytest.raises(EdgeBenchError, match=rf"results have {len(lines)} problems"):
        submit_results(path, "a", URL, rules=rules)
    assert not home.exists()


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (HEAD[1:], "edgebench_version is 'missing'"),
        (["# edgebench_version: 0.0.9", *HEAD[1:]], "made with version 0.0.9"),
        (HEAD[:1], "regions is {}"),
        ([*HEAD[:1], "# region s1: " + "0" * 64, HEAD[2]], "region s1 had digest 000000000000"),
        ([*HEAD, "# privileged: perhaps"], "privileged is 'perhaps'"),
        ([*HEAD, "# <script>: 1"], "no line of the head"),
    ],
)
def test_a_wrong_head_is_named(write, head, said):
    assert any(said in line for line in found(write(head=head)))


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (HEAD[1:], ["edgebench_version is 'missing'"]),
        (HEAD[:1], ["regions is {}"]),
        ([*HEAD[1:-1], "# privileged: perhaps"], ["edgebench_version is", "privileged is", "region s2 was not played"]),
    ],
)
def test_a_wrong_head_hides_no_wrong_row(write, head, said):
    lines = found(write(changed(all_rows(), 1, utility="2.0"), head))
    assert all(any(f"results.csv: {what}" in line for line in lines) for what in said), lines
    assert f"results.csv, row {len(head) + 3}: utility is 2.0, above 1" in lines
    assert len(lines) == len(said) + 2  # a reward that does not follow from the utility is told beside it


@pytest.mark.parametrize(
    "url", ["", "ftp://x.org", "javascript:alert(1)", "https://x.org/<script>", 'https://x.org/"', "https://x.org/\n",
            "=HYPERLINK(1)", "https://x.org/ a", "https://x.org/(a)", "https://" + "a" * 500],
)  # fmt: skip
def test_an_address_in_which_something_could_hide_is_refused(write, home, url):
    with pytest.raises(EdgeBenchError, match="no address"):
        submit_results(write(), "a", url, rules=rules)
    assert not home.exists()


HOSTILE = ["=cmd|' /C calc'!A0", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "<script>alert(1)</script>", "a\x00b",
           "\x1b[2J", "\u202egpj.exe", " =1", "＝1"]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("column", ["detail", "region", "status", "utility"])
def test_a_hostile_cell_is_refused_or_inert(write, home, text, column):
    rows = changed(all_rows(), 2, **{column: text})
    body = io.StringIO()
    csv.writer(body, lineterminator="\n").writerows([COLUMNS, *([row[name] for name in COLUMNS] for row in rows)])
    path = write()
    path.write_bytes("\n".join([*HEAD, body.getvalue()]).encode())
    if column == "detail" and text.startswith("<"):
        assert found(path) == []
        submit_results(path, "a", URL, rules=rules)
        tables = rank(read_board("route", "sample"))
        assert "<script" not in as_page(tables, "route", "sample") + as_csv(tables)
    else:
        assert found(path)


@settings(max_examples=300, deadline=None)
@given(text=st.text() | st.sampled_from(HOSTILE))
def test_whatever_is_written_is_inert(text):
    cell, page = inert_cell(text), inert_markdown(text)
    assert cell.isprintable() and not cell.lstrip().startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠"))
    assert page.isprintable() and not set("<>|`*[]\"'") & set(page)


_fuzz = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@_fuzz
@given(data=st.binary(max_size=200), at=st.integers(0, 3000), cut=st.integers(0, 200))
def test_no_bytes_make_the_reader_stumble(write, data, at, cut):
    path = write()
    whole = path.read_bytes()
    path.write_bytes(whole[:at] + data + whole[at + cut :])
    assert all(str(problem).encode() for problem in validate_results(path, rules))


@_fuzz
@given(row=st.integers(0, 7), column=st.sampled_from(COLUMNS), cell=st.text(max_size=12))
def test_no_cell_makes_it_stumble(write, row, column, cell):
    body = io.StringIO()
    lines = [[line[name] for name in COLUMNS] for line in changed(all_rows(), row, **{column: cell})]
    csv.writer(body, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows([COLUMNS, *lines])
    path = write()
    path.write_bytes("\n".join([*HEAD, body.getvalue()]).encode())
    validate_results(path, rules)


def test_a_file_of_nothing_and_no_file_are_one_problem(tmp_path):
    path = tmp_path / "results.csv"
    assert "cannot be read" in found(path)[0]
    for text in ("", "\n", "\n".join(HEAD), "a,b\n"):
        path.write_text(text, encoding="utf-8")
        assert found(path)[-1] == "results.csv: there are no episodes"
