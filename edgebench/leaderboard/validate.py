"""Check a submission: everything that is wrong with it, at once, whatever its files hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from edgebench.errors import EdgeBenchError
from edgebench.harness.run import RUN_FILES
from edgebench.leaderboard.claims import FILE as MANIFEST
from edgebench.leaderboard.claims import agent_problems, claim_problems, malformed
from edgebench.leaderboard.curve import curve_problems
from edgebench.leaderboard.problems import Problem, differences, read_object, read_table, unfit_files
from edgebench.leaderboard.rows import FILE as EPISODES
from edgebench.leaderboard.rows import check_rows
from edgebench.leaderboard.rules import Board, board_rules
from edgebench.registry import track as find_track

SUMMARY = "summary.json"
_OF_THE_BOARD = ("track", "edition", "scenario", "regions")
"""Entries of a manifest that name its board: where one cannot be read, rows cannot be checked against any."""
Rules = Callable[[str, str, str, Iterable[str]], Board]
"""From track, edition, scenario and the regions played to the board."""


def validate(folder: Path, rules: Rules = board_rules) -> list[Problem]:
    """All problems of the run or submission in `folder`; none means that it can enter the board.

    Checked are the forms of all files; that every region × window × seed of the board was played exactly once; closed
    statuses, ranges and finite numbers; digests, versions, budgets and the agent's hash; and that every figure of
    the summary follows from the episodes.

    Args:
        folder: Holds episodes.csv, manifest.json, summary.json and the agent's file.
        rules: Gives the board the manifest names.
    """
    problems = unfit_files(folder, RUN_FILES)
    if problems:
        return problems
    manifest = read_object(folder, MANIFEST, problems)
    table = read_table(folder, EPISODES, problems)
    summary = read_object(folder, SUMMARY, problems)
    if manifest is None:
        return problems
    wrong = malformed(manifest)
    problems += [Problem(MANIFEST, None, what) for what in wrong.values()]
    if not wrong.keys().isdisjoint(_OF_THE_BOARD):
        return problems
    if "agent" not in wrong:
        problems += agent_problems(folder, manifest["agent"], manifest["track"])
    problems += curve_problems(folder)
    board = _board(manifest, rules, problems)
    if board is None:
        return problems
    problems += [Problem(MANIFEST, None, what) for what in claim_problems(manifest, board)]
    if table is not None:
        problems += check_rows(table, board, _decision_cpu_ms())
    if not problems and summary is not None:
        problems += _summary_problems(folder, summary, board, privileged=manifest["privileged"])
    return problems


def _board(manifest: dict[str, Any], rules: Rules, problems: list[Problem]) -> Board | None:
    try:
        return rules(manifest["track"], manifest["edition"], manifest["scenario"], manifest["regions"])
    except EdgeBenchError as error:
        problems.append(Problem(MANIFEST, None, f"its board cannot be had here: {error}"))
    return None


def _decision_cpu_ms() -> float:
    from edgebench.harness.process import Budgets

    return Budgets().decision_cpu_s * 1000


def _summary_problems(folder: Path, summary: dict[str, Any], board: Board, *, privileged: bool) -> list[Problem]:
    from edgebench.harness.journal import read_episodes
    from edgebench.harness.summary import summarise

    references = {name: rules.references for name, rules in board.regions.items()}
    episodes = read_episodes(folder / EPISODES, find_track(board.track))
    right = summarise(episodes, references, privileged=privileged).as_json()
    return [Problem(SUMMARY, None, what) for what in differences(summary, right)]
