"""An entry of an honest agent on a board of s1 alone, and what one who cheats makes of it."""

import hashlib
import json

from edgebench.harness.journal import read_episodes
from edgebench.harness.references import references
from edgebench.harness.run import evaluate
from edgebench.harness.summary import summarise
from edgebench.leaderboard.ledger import read_ledger
from edgebench.leaderboard.submission import submit
from edgebench.region import load
from edgebench.registry import track as find_track

NEAREST = """
import numpy as np

{before}

class Agent:
    def reset(self, info):
        self.first = {first}

    def act(self, observation):
        valid = np.flatnonzero(observation["action_mask"])
        return int(valid[0 if self.first else {else_}])
"""
HONEST = NEAREST.format(before="", first="True", else_="-1")


def entered_as(home, source, name="other"):
    agent = home / f"{name}.py"
    agent.write_text(source, encoding="utf-8", newline="\n")
    evaluate(str(agent), regions=["s1"], out=home / "runs" / name)
    return submit(home / "runs" / name, name)


def rewritten(folder, *, agent=None, **manifest):
    """Change what an entry says and make its figures and hashes follow, as one who cheats would."""
    told = json.loads((folder / "manifest.json").read_text(encoding="utf-8")) | manifest
    if agent is not None:
        (folder / "agent.py").write_text(agent, encoding="utf-8", newline="\n")
        told["agent"]["sha256"] = hashlib.sha256(agent.encode()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(told), encoding="utf-8")
    scale = references(load("s1"), track="route", scenario="trap", split="test", seeds=5)
    summary = summarise(read_episodes(folder / "episodes.csv", find_track("route")), {"s1": scale})
    (folder / "summary.json").write_text(json.dumps(summary.as_json()), encoding="utf-8")


def last_line(home):
    return read_ledger(home / "leaderboards" / "LEDGER.md")[-1]
