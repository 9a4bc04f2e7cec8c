"""The report of a run: one file, the board's reference agents beside it, LaTeX that cannot run."""

import re
import shutil
import subprocess

import pytest
from board_toy import all_rows, manifest_of, write_run
from site_toy import HOSTILE, agent_of, parsed

from edgebench.errors import EdgeBenchError
from edgebench.harness.statistics import paired_difference
from edgebench.site.latex import as_latex, escaped
from edgebench.site.report import as_json, read_report, write_report


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A run of a hostile name; two reference agents on its board, one under other conditions."""
    monkeypatch.setenv("EDGEBENCH_HOME", str(tmp_path))
    board = tmp_path / "leaderboards" / "route" / "sample" / "trap"
    for name, utility, changes in (
        ("nearest", 0.4, {}), ("tuned", 0.6, {}), ("old", 0.6, {"version": "0.0.1"}),
    ):  # fmt: skip
        agent = agent_of(name, "reference", sha256=name.encode().hex().ljust(64, "0"))
        write_run(board / name, all_rows(utility), manifest_of(agent=agent, **changes))
    write_run(board / "file", all_rows(0.7))
    return write_run(tmp_path / "runs" / "mine", all_rows(0.5), manifest_of(agent=agent_of(HOSTILE)))


def test_the_reference_agents_of_the_same_conditions_stand_beside_it(run):
    report = read_report(run)
    assert [beside.entry.name for beside in report.beside] == ["tuned", "nearest"]
    first = report.beside[0]
    assert first.difference == paired_difference(report.row.entry.scores, first.entry.scores)
    assert first.difference.total.high < 0 < report.beside[1].difference.total.low
    assert all(0 < beside.p <= beside.p_holm <= 1 for beside in report.beside)


def test_a_reference_agent_is_not_compared_with_itself(run, tmp_path):
    own = read_report(tmp_path / "leaderboards" / "route" / "sample" / "trap" / "tuned")
    assert [beside.entry.name for beside in own.beside] == ["nearest"]


def test_the_page_is_one_file_that_needs_no_other(run, tmp_path):
    for name in ("one.html", "two.html"):
        write_report(read_report(run), tmp_path / name)
    page = (tmp_path / "one.html").read_text(encoding="utf-8")
    assert page == (tmp_path / "two.html").read_text(encoding="utf-8")
    found = parsed(tmp_path / "one.html")
    assert found.leads == [("link", "href", "data:,")] and found.scripts == 0 and found.handlers == []
    assert HOSTILE not in page and "&lt;script&gt;" in page and "<polyline" in page
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:;" in page
    assert "queueing_ms" in page and "edgebench eval" in page and "a" * 64 in page
    assert len(page) < 100_000


def test_the_json_holds_figures_and_conditions(run):
    found = as_json(read_report(run))
    assert found["manifest"]["agent"]["name"] == HOSTILE and found["command"].startswith("edgebench eval ")
    assert [reference["name"] for reference in found["references"]] == ["tuned", "nearest"]
    assert set(found["references"][0]["regions"]) == {"s1", "s2"}


def test_the_table_is_latex_and_names_are_inert(run):
    text = as_latex(read_report(run))
    table = text[text.index("\\begin{table}") :]
    assert re.findall(r"\\(begin|end)\{(\w+)\}", table) == [
        ("begin", "table"), ("begin", "tabular"), ("end", "tabular"), ("end", "table"),
    ]  # fmt: skip
    rows = [line for line in table.splitlines() if line.endswith("\\\\")]
    assert len(rows) == 4 and {len(re.findall(r"(?<!\\)&", row)) for row in rows} == {7}
    assert "\\textless{}script\\textgreater{}" in table
    assert all(line.startswith("% ") for line in text[: text.index("\\begin{table}")].splitlines())


EVERY_SIGN = "".join(map(chr, (*range(1, 0x250), 0x3A9, 0x65E5, 0x202E, 0x1F600, 0xD800)))


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="there is no pdflatex")
def test_latex_takes_the_table_and_every_sign_in_a_name(run, tmp_path):
    packages = "booktabs,graphicx,textcomp"
    (tmp_path / "doc.tex").write_text(
        f"\\documentclass{{article}}\n\\usepackage{{{packages}}}\n\\begin{{document}}\n"
        f"{as_latex(read_report(run))}\n{escaped(EVERY_SIGN)}\n\\end{{document}}\n",
        encoding="utf-8",
    )
    command = ["pdflatex", "-draftmode", "-halt-on-error", "-interaction=nonstopmode", "-no-shell-escape", "doc.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    assert f"{{{packages}}}" in as_latex(read_report(run))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\\input{/etc/passwd}", r"\textbackslash{}input\{/etc/passwd\}"),
        ("a_b^c~$1 & 5% #1", r"a\_b\textasciicircum{}c\textasciitilde{}\$1 \& 5\% \#1"),
        ("café \u65e5", r"café \textbackslash{}u65e5"),
        ("a\n\\end{table}", r"a \textbackslash{}end\{table\}"),
        ("\x00\u202e", r"\textbackslash{}x00\textbackslash{}u202e"),
    ],
)
def test_every_sign_is_written_as_what_it_looks_like(text, expected):
    assert escaped(text) == expected


def test_what_is_no_run_is_refused(tmp_path):
    with pytest.raises(EdgeBenchError, match="no run is here"):
        read_report(tmp_path)
    (tmp_path / "manifest.json").write_text('{"agent": 3}')
    with pytest.raises(EdgeBenchError, match="damaged or foreign manifest"):
        read_report(tmp_path)
