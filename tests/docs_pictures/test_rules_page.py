"""The page of the rules names checks that exist, and their numbers."""

import re
from pathlib import Path

from edgebench.constants import EVAL_SEEDS, WINDOW_TASKS
from edgebench.harness.process import Budgets
from edgebench.leaderboard.hidden import LEVEL

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
NAMED = re.compile(r"`((?:\w+/)+\w+\.py)`((?:, `[A-Za-z_.]+`)*)")


def test_every_check_named_is_in_the_file_named():
    found = NAMED.findall(PAGE)
    assert len(found) > 25
    for file, names in found:
        path = ROOT / file if file.startswith("builders/") else ROOT / "edgebench" / file
        code = path.read_text(encoding="utf-8")
        for name in re.findall(r"\w+(?=`)", names):
            stands = rf"^ *(def {name}\(|class {name}\b|{name}\b.*=|{name}: )"
            assert re.search(stands, code, re.MULTILINE), (file, name)


def test_the_numbers_are_those_of_the_code():
    budgets = Budgets()
    assert f"windows of {WINDOW_TASKS}, each window under the scenario seeds 0 … {EVAL_SEEDS - 1}" in PAGE
    assert f"feature building included | {budgets.decision_cpu_s:g} s |" in PAGE
    assert f"wall-clock time of a decision | {budgets.decision_wall_s:g} s |" in PAGE
    assert f"each reset | {budgets.startup_wall_s:g} s |" in PAGE
    assert f"p below {LEVEL:g}" in PAGE
