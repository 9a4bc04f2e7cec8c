"""`edgebench report`: a run as the appendix of a paper."""

from __future__ import annotations

from pathlib import Path

import click

from edgebench.cli.common import json_option, print_json, stderr, verb
from edgebench.cli.values import Existing
from edgebench.errors import EdgeBenchError


@verb("edgebench report runs/my_agent --out report.html --latex table.tex")
@click.argument("run", type=Existing(file_okay=False))
@click.option("--out", type=click.Path(path_type=Path), help="The HTML file.  [default: report.html, but for --json]")
@click.option("--latex", type=click.Path(path_type=Path), help="Also write a LaTeX table.")
@json_option
def command(run: Path, out: Path | None, latex: Path | None, as_json: bool) -> None:
    """Write the finished run in RUN as one HTML file: conditions, scores with intervals, failures, delays.

    The reference agents of the same board stand beside it, with paired differences. The file needs no other, and
    edgebench[site] to write it. With --json the figures are printed, and files are written only where named.
    """
    from edgebench.site.report import as_json as report_json
    from edgebench.site.report import read_report, write_report

    target = out or (None if as_json else Path("report.html"))
    _check_targets(target, latex)
    report = read_report(run)
    if target is not None:
        write_report(report, target)
        _tell_written(target)
    if latex is not None:
        from edgebench.atomic import write_text
        from edgebench.site.latex import as_latex

        write_text(latex, as_latex(report))
        _tell_written(latex)
    if as_json:
        print_json(report_json(report))


def _check_targets(html: Path | None, latex: Path | None) -> None:
    for path, known in ((html, (".html", ".htm")), (latex, (".tex",))):
        if path is not None and (path.is_dir() or path.suffix.lower() not in known):
            raise EdgeBenchError("this is no name of a file to write", where=str(path), mend=f"end it with {known[0]}")


def _tell_written(path: Path) -> None:
    stderr().print(f"wrote {path}", soft_wrap=True, markup=False)
