"""Ranked tables: never mixed, the same whatever the order of rows, and inert."""

import csv
import dataclasses
import io
import json
import random

import pytest
from board_toy import SCALE, all_rows, is_close, manifest_of, write_run

from edgebench.errors import EdgeBenchError
from edgebench.leaderboard.board import References, rank, read_board, read_entry
from edgebench.leaderboard.inert import inert_cell, inert_markdown
from edgebench.leaderboard.page import (
    as_csv,
    as_markdown,
    as_page,
    as_records,
    paste,
    write_board,
)


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("EDGEBENCH_HOME", str(tmp_path))
    return tmp_path / "leaderboards" / "route" / "sample" / "trap"


def ranks(tables):
    return [[(place, entry.name) for place, entry in table.rows] for table in tables]


def test_entries_are_ranked_by_score(home):
    for name, utility in (("low", 0.2), ("high", 0.6), ("middle", 0.4)):
        write_run(home / name, all_rows(utility))
    (table,) = rank(read_board("route", "sample"))
    assert ranks([table]) == [[(1, "high"), (2, "middle"), (3, "low")]]
    scores = [entry.summary.total.score.value for _, entry in table.rows]
    assert scores == sorted(scores, reverse=True)


def test_equals_share_a_rank_and_the_next_rank_is_left_out(home):
    for name, utility in (("b", 0.6), ("a", 0.6), ("c", 0.2)):
        write_run(home / name, all_rows(utility))
    assert ranks(rank(read_board("route", "sample"))) == [[(1, "a"), (1, "b"), (3, "c")]]


def test_a_privileged_entry_is_marked_and_takes_no_rank(home):
    for name, utility, privileged in (("b", 0.6, False), ("a", 0.7, True), ("c", 0.2, False), ("d", 0.1, True)):
        write_run(home / name, all_rows(utility), manifest_of(privileged=privileged))
    tables = rank(read_board("route", "sample"))
    assert ranks(tables) == [[(None, "a"), (1, "b"), (2, "c"), (None, "d")]]
    page = as_page(tables, "route", "sample")
    assert "\n| – | a &#40;privileged&#41; | " in page and "\n| 1 | b | " in page
    assert [(row["rank"], row["privileged"]) for row in csv.DictReader(io.StringIO(as_csv(tables)))] == [
        ("", "True"), ("1", "False"), ("2", "False"), ("", "True"),
    ]  # fmt: skip
    assert [(record["rank"], record["privileged"]) for record in as_records(tables)][:2] == [(None, True), (1, False)]


def test_a_board_of_privileged_entries_alone_has_no_ranks(home):
    write_run(home / "a", manifest=manifest_of(privileged=True))
    assert ranks(rank(read_board("route", "sample"))) == [[(None, "a")]]


def test_a_run_of_another_format_says_to_evaluate_again(home):
    manifest = manifest_of(format_version=1)
    del manifest["privileged"]
    write_run(home / "a", manifest=manifest)
    with pytest.raises(EdgeBenchError, match=r"run of format 1, this version reads 3[\s\S]*evaluate the agent again"):
        read_board("route", "sample")


def test_shuffled_rows_give_the_same_files(home):
    rows = all_rows(0.4)
    for name in ("one", "two"):
        write_run(home / name, rows)
    before = [path.read_bytes() for path in write_board(rank(read_board("route", "sample")), "route", "sample")]
    random.Random(0).shuffle(rows)
    write_run(home / "two", rows)
    after = [path.read_bytes() for path in write_board(rank(read_board("route", "sample")), "route", "sample")]
    assert before == after


def test_other_conditions_never_share_a_table(home):
    write_run(home / "a", all_rows(0.6))
    write_run(home.parent / "calm" / "calm", all_rows(0.6, scenario="calm"), manifest_of(scenario="calm"))
    write_run(home / "old", all_rows(0.6), manifest_of(version="0.0.9"))
    write_run(home / "patch", all_rows(0.6), manifest_of(version="0.0.7"))
    write_run(home / "data", all_rows(0.6), manifest_of(regions={"s1": "0" * 64, "s2": "1" * 64}))
    write_run(home / "scale", all_rows(0.6), scale=SCALE | {"s1": References(0.0, 0.9)})
    tables = rank(read_board("route", "sample"))
    assert sorted(sorted(entry.name for _, entry in table.rows) for table in tables) == [
        ["a"], ["calm"], ["data"], ["old", "patch"], ["scale"],
    ]  # fmt: skip
    assert len(list(csv.DictReader(io.StringIO(as_csv(tables))))) == 6
    assert as_page(tables, "route", "sample").count("## Scenario") == 5


def test_a_run_of_another_edition_is_refused(home):
    write_run(home / "a", all_rows(edition="mine"), manifest_of(edition="mine"))
    with pytest.raises(EdgeBenchError, match="belongs to another board"):
        read_board("route", "sample")


def test_entries_scored_on_one_region_alone(home):
    folder = write_run(home / "a", all_rows(0.4))
    whole, part = read_entry(folder, "a"), read_entry(folder, "a", ["s1"])
    assert [region.region for region in part.summary.regions] == ["s1"]
    assert is_close(part.summary.total.score.value, whole.summary.regions[0].score.value)
    with pytest.raises(EdgeBenchError, match="no result on s4"):
        read_entry(folder, "a", ["s4"])


def test_an_unfinished_run_is_refused(home):
    folder = write_run(home / "a")
    (folder / "summary.json").unlink()
    with pytest.raises(EdgeBenchError, match="unfinished or damaged"):
        read_board("route", "sample")


@pytest.mark.parametrize("name", ["My-Agent", "a b", "ü", "-a", "nul", "com1", "a.b", "=1+1"])
def test_a_folder_with_an_unsafe_name_is_refused(home, name):
    write_run(home / name)
    with pytest.raises(EdgeBenchError, match="cannot name an entry"):
        read_board("route", "sample")


def test_generated_files_and_hidden_folders_are_no_entries(home):
    write_run(home / "a")
    (home / ".a.old").mkdir()
    write_board(rank(read_board("route", "sample")), "route", "sample")
    assert [entry.name for entry in read_board("route", "sample")] == ["a"]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1"])
def test_formulas_are_inert(text):
    assert inert_cell(text) == "'" + text.replace("\t", "\\t").replace("\r", "\\r")


def test_figures_are_left_as_they_are():
    assert inert_cell(-0.25) == -0.25
    assert inert_cell("my_agent") == "my_agent"


def test_html_and_markdown_are_inert():
    shown = inert_markdown("<script>a|b</script> [x](y) `c` **d**\n\n# e")
    assert not set("<>|`*[]#\n") & set(shown.replace("&#", ""))


def test_a_hostile_agent_name_reaches_no_file_unescaped(home):
    name = '=HYPERLINK("http://x")'
    agent = manifest_of()["agent"] | {"name": name}
    folder = write_run(home / "a", manifest=manifest_of(agent=agent))
    with pytest.raises(EdgeBenchError, match="not a plain name"):
        read_board("route", "sample")
    entry = read_entry(write_run(folder), "a")
    tables = rank([dataclasses.replace(entry, agent=agent)])
    cells = next(csv.DictReader(io.StringIO(as_csv(tables))))
    assert cells["agent"] == f"'{name}"
    assert "HYPERLINK" not in as_page(tables, "route", "sample")


def test_records_are_strict_json(home):
    write_run(home / "a")
    (record,) = as_records(rank(read_board("route", "sample")))
    assert json.loads(json.dumps(record, allow_nan=False))["rank"] == 1


def test_the_table_is_pasted_between_the_marks(home, tmp_path):
    write_run(home / "a")
    (table,) = rank(read_board("route", "sample"))
    page = tmp_path / "page.md"
    page.write_text("top\n<!-- leaderboard -->\nold\n<!-- /leaderboard -->\nend\n")
    for _ in range(2):
        paste(table, page)
        assert page.read_text() == f"top\n<!-- leaderboard -->\n{as_markdown(table)}\n<!-- /leaderboard -->\nend\n"
    page.write_text("no marks")
    with pytest.raises(EdgeBenchError, match="no place for the table"):
        paste(table, page)
