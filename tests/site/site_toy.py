"""A hostile board and what tests of its pages share."""

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest
from board_toy import all_rows, changed, failed, manifest_of, write_run

HOSTILE = "</script><script>window.hurt=1</script><img src=x onerror=window.hurt=1>"
"""Whatever shows this must show it as it is."""
ADDRESS = "javascript:window.hurt=1"


def agent_of(name, kind="package", **more):
    return {"name": name, "kind": kind, "sha256": "a" * 64} | more


def fill(home):
    """Two scenarios of one board: a tie, a privileged row, strangers' names, failures; a run; a ledger."""
    board = home / "leaderboards" / "route" / "sample"
    for scenario in ("trap", "burst"):
        for name, utility in (("best", 0.62), ("tied-a", 0.5), ("tied-b", 0.5), ("low", 0.1)):
            rows = all_rows(utility, scenario=scenario)
            write_run(board / scenario / name, rows, manifest_of(scenario=scenario))
    rows = changed(all_rows(0.4), 1, **{**failed(all_rows(0.4)[1], "error"), "detail": "EVIL"})
    deep = {}
    for _ in range(8):
        deep = {HOSTILE: [deep]}
    manifest = manifest_of(
        agent=agent_of(HOSTILE, url=ADDRESS), note=HOSTILE, sandbox="\u202e\x00\ud800", overrides=7, deep=deep
    )
    hostile = write_run(board / "trap" / "hostile", rows, manifest)
    text = (hostile / "episodes.csv").read_text().replace("EVIL", HOSTILE)
    (hostile / "episodes.csv").write_text(text)
    write_run(board / "trap" / "seer", all_rows(0.9), manifest_of(privileged=True))
    write_run(home / "runs" / "<b>run", all_rows(0.45), manifest_of(agent=agent_of("web", url="https://a.example/x")))
    (home / "runs" / "unfinished").mkdir()
    (home / "runs" / "unfinished" / "episodes.csv").write_text("")


LEDGER = f"""# Ledger

| date | entry | reason |
| --- | --- | --- |
| 2026-01-01 | best | {HOSTILE} [x]({ADDRESS}) [y](https://a.example) ![z](https://evil.example/z.png) |
"""


def render_into(target):
    from edgebench.cli.verb_leaderboard import _cell_sites
    from edgebench.site.build import write_site

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("edgebench.leaderboard.cross_domain.UNSEEN", "s2")  # of the toy's regions
        return write_site(target, lambda *_: None, _cell_sites)


def embedded(page: str, which: int = 0):
    """The JSON that stands in a page."""
    parts = page.split('<script type="application/json"')[1:]
    return json.loads(parts[which].partition(">")[2].partition("</script>")[0])


VOID = {"meta", "link", "img", "br", "input", "hr", "line", "circle", "path"}


class Strict(HTMLParser):
    """Refuses what is not closed in order, an attribute twice, an id twice; keeps what leads elsewhere."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.ids, self.leads, self.scripts, self.handlers = [], [], [], 0, []

    def handle_starttag(self, tag, attrs):
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), (tag, attrs)
        self.handlers += [name for name in names if name.startswith("on")]
        for name, value in attrs:
            if name == "id":
                self.ids.append(value)
            if name in ("href", "src", "action", "srcset", "poster", "data"):
                self.leads.append((tag, name, value))
        self.scripts += tag == "script"
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag, (tag, self.getpos())


def parsed(path: Path) -> Strict:
    found = Strict()
    found.feed(path.read_text(encoding="utf-8"))
    found.close()
    assert found.open == [] and len(found.ids) == len(set(found.ids)), path
    return found
