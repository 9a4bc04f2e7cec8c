"""Enter a finished run on its board, or take an entry off it; the ledger tells of both."""

from __future__ import annotations

from pathlib import Path

from edgebench.atomic import atomic_folder, remove_folder
from edgebench.errors import EdgeBenchError
from edgebench.harness.journal import MEASURED_TIMES, read_rows
from edgebench.harness.manifest import read_manifest
from edgebench.harness.run import EPISODES, MANIFEST, RUN_FILES
from edgebench.leaderboard.board import check_name
from edgebench.leaderboard.ledger import check_reason, place_of, writing
from edgebench.leaderboard.rules import board_rules
from edgebench.leaderboard.validate import Rules, validate
from edgebench.paths import boards_dir, leaderboards_dir
from edgebench.registry import track as find_track

FILES = RUN_FILES
"""What a submission holds."""


def submit(run: Path, name: str, *, force: bool = False, reason: str = "submitted", rules: Rules = board_rules) -> Path:
    """Copy a run that is in order to `leaderboards/<track>/<edition>/<scenario>/<name>/`, whole or not at all.

    Args:
        run: Folder of a finished run.
        name: Of the entry: small letters, digits and hyphens.
        force: Replace an entry of that name.
        reason: Stands in the ledger, in one line.
        rules: Gives the board the run's manifest names.

    Returns:
        The entry's folder.

    Raises:
        EdgeBenchError: The name is unsafe or taken, the ledger is damaged, or the run has problems, which are all
            listed.
    """
    check_name(name, "--name")
    check_reason(reason)
    refuse_problems(run, rules)
    manifest = read_manifest(run / MANIFEST)
    target = leaderboards_dir(manifest["track"], manifest["edition"]) / str(manifest["scenario"]) / name
    with writing(boards_dir()) as book:
        if _is_entered(target, run):
            return target
        if target.exists() and not force:
            raise EdgeBenchError(f"there is an entry {name!r}", where=str(target), mend="take another name, or --force")
        with book.changing(target, _change(target, run), reason, run), atomic_folder(target) as folder:
            for file in FILES:
                if (run / file).is_file():
                    (folder / file).write_bytes((run / file).read_bytes())
    return target


def _is_entered(target: Path, run: Path) -> bool:
    """Whether the entry is this very run: so it is when the same command is given again, after a kill for one."""
    return target.is_dir() and _content(target) == _content(run)


def _content(folder: Path) -> object:
    """All files, of the manifest not the moments: those of results played elsewhere are of their entering.

    The folder itself where it is damaged.
    """
    try:
        manifest = read_manifest(folder / MANIFEST) | dict.fromkeys(("started", "finished"))
        others = [name for name in FILES if name != MANIFEST and (folder / name).is_file()]
        return manifest, {name: (folder / name).read_bytes() for name in others}
    except (EdgeBenchError, OSError):
        return folder


def refuse_problems(run: Path, rules: Rules = board_rules) -> None:
    """EdgeBenchError with all problems of a run, where it has any."""
    problems = validate(run, rules)
    if problems:
        listed = "\n    ".join(str(problem) for problem in problems)
        raise EdgeBenchError(
            f"the run has {len(problems)} problem{'s'[: len(problems) != 1]}:\n    {listed}",
            where=str(run),
            mend="mend them, or evaluate anew for the board (edgebench eval AGENT), and check: edgebench validate RUN",
        )


def _change(target: Path, run: Path) -> str:
    """What the ledger calls it: an entry that is played anew with the same outcome is only rescored."""
    if not target.exists():
        return "added"
    return "rescored" if _outcome(target) == _outcome(run) else "replaced"


def _outcome(folder: Path) -> object:
    """The agent, and the episodes without the times measured; the folder itself where it is damaged."""
    try:
        manifest = read_manifest(folder / MANIFEST)
        rows = read_rows(folder / EPISODES, find_track(manifest["track"]))
    except (EdgeBenchError, OSError):
        return folder
    return manifest["agent"], [[row[name] for name in row if name not in MEASURED_TIMES] for row in rows]


def withdraw(entry: Path, reason: str) -> None:
    """Take an entry off its board; its lines in the ledger stay. One withdrawn for that reason before is no error.

    Args:
        entry: `leaderboards/<track>/<edition>/<scenario>/<entry>`.
        reason: Stands in the ledger, in one line.

    Raises:
        EdgeBenchError: There is no such entry, the reason is none, or the ledger is damaged.
    """
    place = place_of(entry)
    check_reason(reason)
    if place is None or not place.boards.is_dir():
        raise _no_entry(entry)
    standing = entry.resolve()
    with writing(place.boards) as book:
        if (standing / MANIFEST).is_file():
            with book.changing(standing, "removed", reason, standing):
                remove_folder(standing)
            return
        last = book.last(standing)
        if last is None or (last.what, last.reason) != ("removed", reason):
            raise _no_entry(entry)


def _no_entry(entry: Path) -> EdgeBenchError:
    mend = "name leaderboards/<track>/<edition>/<scenario>/<entry>"
    return EdgeBenchError("no entry of a board", where=str(entry), mend=mend)
