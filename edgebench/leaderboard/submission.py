"""Enter a finished run on its board."""

from __future__ import annotations

import shutil
from pathlib import Path

from edgebench.atomic import atomic_folder
from edgebench.errors import EdgeBenchError
from edgebench.harness.manifest import read_manifest
from edgebench.harness.run import RUN_FILES
from edgebench.leaderboard.board import check_name
from edgebench.leaderboard.rules import board_rules
from edgebench.leaderboard.validate import Rules, validate
from edgebench.paths import leaderboards_dir

FILES = RUN_FILES
"""What a submission holds."""


def submit(run: Path, name: str, *, force: bool = False, rules: Rules = board_rules) -> Path:
    """Copy a run that is in order to `leaderboards/<track>/<edition>/<scenario>/<name>/`, whole or not at all.

    Args:
        run: Folder of a finished run.
        name: Of the entry: small letters, digits and hyphens.
        force: Replace an entry of that name.
        rules: Gives the board the run's manifest names.

    Returns:
        The entry's folder.

    Raises:
        EdgeBenchError: The name is unsafe or taken, or the run has problems, which are all listed.
    """
    check_name(name, "--name")
    problems = validate(run, rules)
    if problems:
        listed = "\n    ".join(str(problem) for problem in problems)
        raise EdgeBenchError(
            f"the run has {len(problems)} problem{'s'[: len(problems) != 1]}:\n    {listed}",
            where=str(run),
            mend="mend them and check with: edgebench validate RUN",
        )
    manifest = read_manifest(run / "manifest.json")
    target = leaderboards_dir(manifest["track"], manifest["edition"]) / str(manifest["scenario"]) / name
    if target.exists() and not force:
        raise EdgeBenchError(f"there is an entry {name!r}", where=str(target), mend="take another name, or --force")
    with atomic_folder(target) as folder:
        for file in FILES:
            if (run / file).is_file():
                shutil.copyfile(run / file, folder / file)
    return target
