"""One version covers code, data, rules and boards: the changelog says so and tags every line."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_every_line_of_the_changelog_is_tagged():
    lines = re.findall(r"^- .*", CHANGELOG, re.MULTILINE)
    assert len(lines) > 30
    assert [line for line in lines if not re.match(r"- (Code|Data|Rules|Leaderboard): \S", line)] == []


def test_it_says_what_a_version_covers():
    words = " ".join(CHANGELOG.split())
    assert "one version covers all four" in words
    assert "Results under the same major.minor are comparable; others never share a table" in words


def test_the_ledger_of_the_boards_is_whole_and_tells_of_every_row():
    from edgebench.leaderboard.ledger import digests_of, read_ledger

    boards = ROOT / "leaderboards"
    last = {(line.board, line.entry): line for line in read_ledger(boards / "LEDGER.md")}
    standing = {manifest.parent for manifest in boards.glob("*/*/*/*/manifest.json")}
    assert len(standing) >= 90
    for entry in standing:
        line = last["/".join(entry.parts[-4:-1]), entry.name]
        assert (line.episodes, line.files) == digests_of(entry), entry


def test_the_docs_name_only_verbs_and_options_that_exist():
    from edgebench.cli import VERBS, main

    text = (ROOT / "docs" / "submitting.md").read_text(encoding="utf-8")
    calls = re.findall(r"(?:^|[\s`/])edgebench ([a-z]+)((?: [^\s`#]+)*)", text)
    assert {"submit", "verify", "withdraw", "validate", "leaderboard"} <= {verb for verb, _ in calls} <= set(VERBS)
    for verb, arguments in calls:
        known = {option for parameter in main.get_command(None, verb).params for option in parameter.opts}
        assert {word for word in arguments.split() if word.startswith("-")} <= known, (verb, arguments)
