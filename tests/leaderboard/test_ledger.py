"""The ledger: a line for all that happens to a row, written by the tool alone, nothing lost, nothing believed."""

import subprocess
import sys
import textwrap

import pytest
from board_toy import all_rows, rules, write_run
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgebench.errors import EdgeBenchError
from edgebench.leaderboard.board import rank, read_board
from edgebench.leaderboard.ledger import (
    FILE,
    MISMATCH,
    UNREPRODUCIBLE,
    VERIFIED,
    digests_of,
    place_of,
    read_ledger,
    status_of,
    writing,
)
from edgebench.leaderboard.page import as_markdown, as_records
from edgebench.leaderboard.submission import submit, withdraw
from edgebench.paths import boards_dir


@pytest.fixture
def boards(tmp_path, monkeypatch):
    monkeypatch.setenv("EDGEBENCH_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "leaderboards"


@pytest.fixture
def entry(boards, tmp_path):
    return submit(write_run(tmp_path / "run"), "a", rules=rules)


def told(boards):
    return [(line.entry, line.what, line.checked, line.reason) for line in read_ledger(boards / FILE)]


def test_a_row_added_replaced_rescored_and_removed_has_four_lines(boards, tmp_path):
    first = write_run(tmp_path / "one")
    entry = submit(first, "a", reason="first try", rules=rules)
    submit(write_run(tmp_path / "two", all_rows(0.3)), "a", force=True, reason="a better one", rules=rules)
    slower = [row | {"decision_cpu_ms": "2.0"} for row in all_rows(0.3)]
    submit(write_run(tmp_path / "three", slower), "a", force=True, reason="measured anew", rules=rules)
    withdraw(entry, "its author asked for it")
    assert told(boards) == [
        ("a", "added", "–", "first try"),
        ("a", "replaced", "–", "a better one"),
        ("a", "rescored", "–", "measured anew"),
        ("a", "removed", "–", "its author asked for it"),
    ]
    lines = read_ledger(boards / FILE)
    assert {line.board for line in lines} == {"route/sample/trap"}
    assert lines[0].episodes == digests_of(first).episodes
    assert lines[2].files == lines[3].files != lines[1].files
    assert not entry.exists() and status_of(entry).mark == "self-reported"


def verify_as(entry, what, checked, reason="played again"):
    with writing(boards_dir()) as book:
        book.add(entry, what, reason, checked)


def test_a_row_never_verified_is_self_reported(entry, tmp_path):
    assert str(status_of(entry)) == "self-reported"
    assert str(status_of(tmp_path / "run")) == "self-reported"


def test_the_latest_verification_counts_and_more_episodes_before_fewer(entry):
    for what, checked, shown in (
        (VERIFIED, "3/8", "verified 3/8"),
        (VERIFIED, "8/8", "verified"),
        (VERIFIED, "5/8", "verified"),
        (UNREPRODUCIBLE, "0/8", "unreproducible"),
        (VERIFIED, "2/8", "verified 2/8"),
        (MISMATCH, "8/8", "mismatch"),
    ):
        verify_as(entry, what, checked)
        assert str(status_of(entry)) == shown
    status = status_of(entry)
    assert (status.mark, status.checked, status.episodes, status.reason) == ("mismatch", 8, 8, "played again")


@pytest.mark.parametrize("name", ["episodes.csv", "manifest.json", "summary.json", "agent.py"])
def test_a_row_changed_after_its_verification_is_self_reported_again(entry, name):
    verify_as(entry, VERIFIED, "8/8")
    before = (entry / name).read_bytes()
    (entry / name).write_bytes(before + b"\n")
    assert str(status_of(entry)) == "self-reported"
    (entry / name).write_bytes(before)
    assert str(status_of(entry)) == "verified"


def test_the_boards_show_the_mark(entry):
    verify_as(entry, VERIFIED, "3/8")
    (table,) = rank(read_board("route", "sample"))
    assert as_markdown(table).splitlines()[0].endswith("| failed | status |")
    assert as_markdown(table).splitlines()[2].endswith("| 0 | verified 3/8 |")
    assert [record["status"] for record in as_records([table])] == ["verified 3/8"]


def test_changes_made_without_the_tool_are_told_by_the_next_write(boards, entry, tmp_path):
    other = submit(write_run(tmp_path / "two", all_rows(0.3)), "b", rules=rules)
    (entry / "episodes.csv").write_bytes((other / "episodes.csv").read_bytes())
    for file in other.iterdir():
        file.unlink()
    other.rmdir()
    write_run(boards / "route" / "sample" / "trap" / "c", all_rows(0.4))
    withdraw(entry, "wrong")
    assert [(name, what) for name, what, _, _ in told(boards)] == [
        ("a", "added"), ("b", "added"), ("a", "replaced"), ("c", "added"), ("b", "removed"), ("a", "removed"),
    ]  # fmt: skip
    assert "without the tool" in told(boards)[2][3]


def test_what_is_no_entry_has_no_place(boards, tmp_path):
    assert place_of(tmp_path / "run") is None
    with pytest.raises(EdgeBenchError, match="no entry"):
        withdraw(tmp_path / "run", "wrong")
    with pytest.raises(EdgeBenchError, match="no entry"):
        withdraw(boards / "route" / "sample" / "trap" / "nobody", "wrong")


@pytest.mark.parametrize("reason", ["", " ", "a\nb", "a\x1b[31m", "\u202eevil", "x" * 301])
def test_a_reason_that_is_no_line_is_refused_and_nothing_changes(boards, entry, reason):
    before = (boards / FILE).read_bytes()
    with pytest.raises(EdgeBenchError, match="reason"):
        withdraw(entry, reason)
    assert entry.is_dir() and (boards / FILE).read_bytes() == before


@pytest.mark.parametrize(
    "reason", ['=HYPERLINK("http://x")', "<script>alert(1)</script>", "a | b `c` **d** [e](f)", 'it\'s "so" & so']
)
def test_a_hostile_reason_is_read_back_and_is_no_markup(boards, entry, reason):
    verify_as(entry, VERIFIED, "8/8", reason)
    assert status_of(entry).reason == reason
    row = (boards / FILE).read_text(encoding="utf-8").splitlines()[-1]
    assert row.count("|") == 10 and not set("<>`*[]") & set(row)


@pytest.mark.parametrize(
    ("find", "put"),
    [
        ("| added |", "| verified |"),
        ("| added |", "| stolen |"),
        ("| a |", "| A |"),
        ("| a | added |", "| a |"),
        ("never edit it", "edit it"),
        ("submitted", "<b>submitted</b>"),
        ("+00:00", "Z"),
        ("| 0.1.0 |\n", "| 0.1.0 |"),
    ],
)
def test_a_damaged_ledger_is_refused_by_reader_and_writer(boards, entry, find, put):
    path = boards / FILE
    text = path.read_text(encoding="utf-8")
    assert find in text
    path.write_text(text.replace(find, put), encoding="utf-8", newline="\n")
    before = path.read_bytes()
    with pytest.raises(EdgeBenchError, match="damaged ledger"):
        status_of(entry)
    with pytest.raises(EdgeBenchError, match=r"damaged ledger[\s\S]*git checkout"):
        withdraw(entry, "wrong")
    assert path.read_bytes() == before and entry.is_dir()


_fuzz = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@_fuzz
@given(data=st.binary(max_size=300), at=st.integers(0, 1200), cut=st.integers(0, 60))
def test_no_bytes_make_the_reader_stumble(tmp_path, boards, entry, data, at, cut):
    path, whole = tmp_path / "any" / FILE, (boards / FILE).read_bytes()
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(whole[:at] + data + whole[at + cut :])
    try:
        lines = read_ledger(path)
    except EdgeBenchError as error:
        assert "damaged ledger" in error.what
    else:
        assert all(line.text() in path.read_text(encoding="utf-8") for line in lines)


@_fuzz
@given(reason=st.text(max_size=40))
def test_any_reason_is_refused_or_read_back(boards, entry, reason):
    try:
        verify_as(entry, VERIFIED, "8/8", reason)
    except EdgeBenchError as error:
        assert "reason" in error.what
    else:
        assert status_of(entry).reason == reason


WRITER = textwrap.dedent("""
    import sys
    from pathlib import Path
    from edgebench.leaderboard.ledger import writing
    boards, entry, who = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    for number in range(20):
        with writing(boards) as book:
            book.add(entry, "verified", f"{who} {number}", "8/8")
""")


def test_two_processes_that_write_at_once_lose_nothing(boards, entry):
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(boards), str(entry), who]) for who in ("one", "two")]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    reasons = [reason for _, what, _, reason in told(boards) if what == VERIFIED]
    for who in ("one", "two"):
        assert [reason for reason in reasons if reason.startswith(who)] == [f"{who} {number}" for number in range(20)]


def test_a_process_killed_while_it_writes_leaves_a_whole_ledger_that_others_can_write(boards, entry):
    for number in range(3):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(boards), str(entry), f"try-{number}"])
        while writer.poll() is None and not any(f"try-{number}" in reason for *_, reason in told(boards)):
            pass
        writer.kill()
        writer.wait(60)
        verify_as(entry, VERIFIED, "8/8", f"after {number}")
        assert told(boards)[-1][3] == f"after {number}"
