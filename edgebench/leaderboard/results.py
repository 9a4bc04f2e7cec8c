"""Results that were played elsewhere: one CSV file, checked as strictly as a run, entered without code.

The file is `episodes.csv` of a run with a head of comment lines before the columns:

    # edgebench_version: 0.1.0
    # region s1: <SHA-256, as `edgebench show s1` and every manifest tell it>
    # privileged: false
    track,edition,region,split,scenario,episode,window,seed,status,detail,…

A line for each region of the board; `privileged` may be left out. Rows are counted as lines of the file.
"""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from edgebench.atomic import write_text
from edgebench.constants import EVAL_SEEDS
from edgebench.errors import EdgeBenchError
from edgebench.harness.journal import Journal, read_episodes
from edgebench.harness.manifest import FORMAT_VERSION, now
from edgebench.harness.process import Budgets
from edgebench.harness.run import EPISODES, MANIFEST, SUMMARY
from edgebench.harness.summary import summarise
from edgebench.leaderboard.board import check_name
from edgebench.leaderboard.claims import ELSEWHERE, claim_problems, is_url, malformed
from edgebench.leaderboard.problems import Problem, read_text
from edgebench.leaderboard.rows import check_rows
from edgebench.leaderboard.rules import Board, board_rules
from edgebench.leaderboard.submission import submit
from edgebench.leaderboard.validate import Rules
from edgebench.registry import track as find_track
from edgebench.scratch import scratch

_HEAD_LINE: Final = re.compile(r"# *(edgebench_version|privileged|region [a-z0-9][a-z0-9_-]{0,63}) *: *([!-~]{1,80})")
_SHARED: Final = ("track", "edition", "split", "scenario")
_OF_THE_BOARD: Final = ("track", "edition", "scenario")
"""What of the rows names their board: where it cannot be read, rows cannot be checked against any."""
_ANY_URL: Final = "https://example.org"


@dataclass(frozen=True)
class Results:
    """A file of results as text: the head's entries, the rows with their columns first, the line of the columns."""

    head: Mapping[str, str]
    table: list[list[str]]
    header_row: int


def validate_results(path: Path, rules: Rules = board_rules) -> list[Problem]:
    """All problems of a file of results, with the lines they stand in; none means that it can be submitted.

    Args:
        path: The CSV file.
        rules: Gives the board the rows name.
    """
    return _checked(path, rules)[2]


def submit_results(
    path: Path, name: str, url: str, *, force: bool = False, reason: str = "submitted", rules: Rules = board_rules
) -> Path:
    """Enter results that were played elsewhere; the row is self-reported and can never be verified.

    Args:
        path: The CSV file.
        name: Of the entry and of its agent: small letters, digits and hyphens.
        url: Where the agent can be had: http or https.
        force: Replace an entry of that name.
        reason: Stands in the ledger, in one line.
        rules: Gives the board the rows name.

    Returns:
        The entry's folder.

    Raises:
        EdgeBenchError: The address is none, the file has problems, which are all listed, or as
            `edgebench.leaderboard.submission.submit`.
    """
    check_name(name, "--name")
    if not is_url(url):
        raise EdgeBenchError(f"{url!r:.80} is no address", where="--agent-url", mend="https://… in plain characters")
    results, board, problems = _checked(path, rules)
    if problems or results is None or board is None:
        listed = "\n    ".join(str(problem) for problem in problems)
        count = f"{len(problems)} problem{'s'[: len(problems) != 1]}"
        raise EdgeBenchError(f"the results have {count}:\n    {listed}", where=str(path), mend="mend them all")
    with scratch("edgebench-results-") as folder:
        _write_run(folder, path, results, board, {"name": name, "kind": ELSEWHERE, "sha256": "", "url": url})
        return submit(folder, name, force=force, reason=reason, rules=rules)


def read_results(path: Path, problems: list[Problem]) -> Results | None:
    """The parts of a file of results; None, and a problem, where it is none. Wrong lines of the head are problems."""
    text = read_text(path.parent, path.name, problems)
    if text is None:
        return None
    lines = text.replace("\r\n", "\n").split("\n")
    size = next((number for number, line in enumerate(lines) if not line.startswith("#")), len(lines))
    head: dict[str, str] = {}
    for number, line in enumerate(lines[:size], start=1):
        found = _HEAD_LINE.fullmatch(line.rstrip())
        if found is None or found[1] in head:
            problems.append(Problem(path.name, number, f"no line of the head, or one told before: {line!r:.60}"))
        else:
            head[found[1]] = found[2]
    try:
        table = list(csv.reader(lines[size:], strict=True))
    except csv.Error as error:
        problems.append(Problem(path.name, None, f"no CSV: {error}"))
        return None
    while table and not table[-1]:
        table.pop()
    if len(table) < 2:
        problems.append(Problem(path.name, None, "there are no episodes"))
        return None
    return Results(head, table, size + 1)


def manifest_of(results: Results, agent: Mapping[str, str]) -> dict[str, Any]:
    """What the head and the first row claim, in the form of a run's manifest; not yet checked."""
    first = dict(zip(results.table[0], results.table[1], strict=False))
    head, moment = results.head, now()
    privileged = {"true": True, "false": False}.get(head.get("privileged", "false"), head.get("privileged"))
    return {
        "format_version": FORMAT_VERSION,
        "edgebench_version": head.get("edgebench_version", "missing"),
        "agent": dict(agent),
        **{name: first.get(name, "missing") for name in _SHARED},
        "privileged": privileged,
        "seeds": EVAL_SEEDS,
        "regions": {name.removeprefix("region "): head[name] for name in sorted(head) if name.startswith("region ")},
        "budgets": dataclasses.asdict(Budgets()),
        "overrides": [],
        "sandbox": "",
        "started": moment,
        "finished": moment,
        "wall_s": None,
        "cpu_s": None,
    }


def _checked(path: Path, rules: Rules) -> tuple[Results | None, Board | None, list[Problem]]:
    problems: list[Problem] = []
    results = read_results(path, problems)
    if results is None:
        return None, None, problems
    manifest = manifest_of(results, {"name": "agent", "kind": ELSEWHERE, "sha256": "", "url": _ANY_URL})
    wrong = malformed(manifest)
    problems += [Problem(path.name, None, what) for what in wrong.values()]
    board = _board(path, manifest, rules, problems) if wrong.keys().isdisjoint(_OF_THE_BOARD) else None
    if board is None:
        return results, None, problems + _own_shape(path, results)
    manifest["seeds"] = board.seeds
    problems += [Problem(path.name, None, what) for what in claim_problems(manifest, board)]
    budget_ms = Budgets().decision_cpu_s * 1000
    found = check_rows(results.table, board, budget_ms, header_row=results.header_row)
    return results, board, problems + [dataclasses.replace(problem, file=path.name) for problem in found]


def _own_shape(path: Path, results: Results) -> list[Problem]:
    """Rows of another length, where there is no board to check them against."""
    wide = len(results.table[0])
    return [
        Problem(path.name, number, f"{len(row)} cells, expected {wide}")
        for number, row in enumerate(results.table[1:], start=results.header_row + 1)
        if len(row) != wide
    ]


def _board(path: Path, manifest: dict[str, Any], rules: Rules, problems: list[Problem]) -> Board | None:
    try:
        return rules(manifest["track"], manifest["edition"], manifest["scenario"], manifest["regions"])
    except EdgeBenchError as error:
        problems.append(Problem(path.name, None, f"its board cannot be had here: {error}"))
    return None


def _write_run(folder: Path, path: Path, results: Results, board: Board, agent: Mapping[str, str]) -> None:
    """Write results that are in order as the folder of a run."""
    track = find_track(board.track)
    columns, *rows = results.table
    journal = Journal(folder / EPISODES, track)
    journal.rows = [dict(zip(columns, row, strict=True)) for row in rows]
    journal.finish()
    whole = hashlib.sha256(path.read_bytes()).hexdigest()
    manifest = manifest_of(results, agent) | {"seeds": board.seeds, "results_sha256": whole}
    scales = {name: rule.references for name, rule in board.regions.items()}
    summary = summarise(read_episodes(folder / EPISODES, track), scales, privileged=manifest["privileged"])
    for name, content in ((MANIFEST, manifest), (SUMMARY, summary.as_json())):
        write_text(folder / name, json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def board_claimed(path: Path) -> tuple[str, tuple[str, ...]] | None:
    """Edition and regions that a file of results claims to be of; None where it is no such file."""
    results = read_results(path, [])
    if results is None:
        return None
    manifest = manifest_of(results, {})
    return str(manifest["edition"]), tuple(manifest["regions"])
