"""A report as a LaTeX table; nothing in a name can run as a command."""

from __future__ import annotations

from typing import Final

from edgebench.harness.statistics import Estimate
from edgebench.harness.summary import Summary
from edgebench.leaderboard.inert import visible
from edgebench.site.agents import command_of
from edgebench.site.report import Beside, Report

_SPECIAL: Final = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"\char34{}", "`": r"\textasciigrave{}", "'": r"\textquotesingle{}",
}  # fmt: skip
_LETTERS: Final = frozenset(map(chr, range(0xC0, 0x100))) - set("ÐÞðþ")
"""Letters beyond ASCII that every LaTeX has in its default fonts; it stops at any other."""


def escaped(text: str) -> str:
    """`text` on one line, every character that means something to LaTeX written as what it looks like.

    Characters that LaTeX has no letter for stand as their escape.
    """
    return "".join(_SPECIAL.get(mark, mark) for mark in "".join(map(_lettered, visible(" ".join(text.split())))))


def _lettered(mark: str) -> str:
    return mark if mark.isascii() or mark in _LETTERS else mark.encode("unicode_escape").decode()


def as_latex(report: Report) -> str:
    """The run and the reference agents beside it as a table of `booktabs`, shrunk where it is wider than the line."""
    regions = [region.region for region in report.entry.summary.regions]
    heads = ["Agent", "Score (95\\,\\% interval)", *map(escaped, regions), "Worst 5\\,\\%", "Failed",
             "Difference (95\\,\\% interval)", "$p$"]  # fmt: skip
    lines = [
        _comment(f"Written by edgebench report; played again by: {command_of(report.row)}"),
        _comment("Needs \\usepackage{booktabs,graphicx,textcomp}; as table* it may be as wide as a page"),
        "\\begin{table}", "\\centering", "\\footnotesize", "\\setlength{\\tabcolsep}{3pt}",
        "\\resizebox{\\ifdim\\width>\\linewidth \\linewidth\\else \\width\\fi}{!}{%",
        f"\\begin{{tabular}}{{l{'r' * (len(heads) - 1)}}}", "\\toprule", _row(heads), "\\midrule",
        _row([escaped(report.entry.label), *_figures(report.entry.summary), "--", "--"]),
        "\\midrule",
        *(_row(_reference(beside)) for beside in report.beside),
        "\\bottomrule", "\\end{tabular}}", f"\\caption{{{_caption(report)}}}", "\\end{table}",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _reference(beside: Beside) -> list[str]:
    p = f"{beside.p_holm:.3f}" if beside.p_holm >= 0.001 else "$<$0.001"
    return [escaped(beside.entry.label), *_figures(beside.entry.summary), _estimate(beside.difference.total), p]


def _figures(summary: Summary) -> list[str]:
    failed = sum(count for status, count in summary.total.statuses.items() if status != "ok")
    regions = [_number(region.score.value) for region in summary.regions]
    return [_estimate(summary.total.score), *regions, _number(summary.total.worst_episodes_score), str(failed)]


def _estimate(found: Estimate) -> str:
    return f"{_number(found.value)} ({_number(found.low)} to {_number(found.high)})"


def _number(value: float) -> str:
    return f"${value:z.3f}$"


def _row(cells: list[str]) -> str:
    return f"{' & '.join(cells)} \\\\"


def _comment(text: str) -> str:
    """A comment of one line: what follows a line end would be no comment."""
    return f"% {visible(' '.join(text.split()))}"


def _caption(report: Report) -> str:
    shared = report.entry.conditions
    digests = ", ".join(f"{escaped(name)} (\\texttt{{{digest[:12]}}})" for name, digest in shared.regions)
    return (
        f"EdgeBench {escaped(str(report.row.manifest['edgebench_version']))}, track {escaped(shared.track)}, scenario "
        f"{escaped(shared.scenario)}, split {escaped(shared.split)}, edition {escaped(shared.edition)}, "
        f"{shared.seeds} scenario seeds; regions {digests}. Agent SHA-256 "
        f"\\texttt{{{report.entry.agent['sha256'][:16]}}}. Score: 0 is the random agent, 1 the reference bound; "
        "interquartile mean over regions, stratified bootstrap. Differences are paired, the run minus the reference "
        "agent; $p$ of a paired permutation test, adjusted after Holm."
    )
