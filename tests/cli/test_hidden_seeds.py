"""`edgebench verify --salt`: scenario seeds that nobody but the verifier can know."""

import json
from pathlib import Path

from honest_entry import entered_as, last_line

from edgebench.harness.rollout import agent_seed
from edgebench.leaderboard.hidden import hidden_seed
from edgebench.region import load

SECRET = "correct horse battery staple"


def files_with(folder, *needles):
    return [
        path for path in folder.rglob("*")
        if path.is_file() and path.name != "secret.txt" and any(needle in path.read_bytes() for needle in needles)
    ]  # fmt: skip


def test_hidden_seeds_leave_no_trace_and_an_honest_agent_is_no_cheat(run, entered_home, entry, tmp_path, monkeypatch):
    (tmp_path / "secret.txt").write_text(SECRET + "\n", encoding="utf-8")
    monkeypatch.setenv("EDGEBENCH_SALT", SECRET)
    seeds = [str(hidden_seed(SECRET.encode(), load("s1"), 0, number)).encode() for number in range(5)]
    shown = run("verify", entry, "--episodes", "2", "--salt", tmp_path / "secret.txt")
    assert shown.exit_code == 0, shown.stderr
    assert "on hidden seeds" in shown.stdout and "over-fitted" not in shown.output
    told = run("verify", entry, "--episodes", "2", "--salt", "env:EDGEBENCH_SALT", "--json")
    found = json.loads(told.stdout)["hidden"]
    assert found["hidden"]["low"] <= found["hidden"]["value"] <= found["hidden"]["high"]
    assert found["hidden"]["value"] != found["reported"]["value"] and not found["over_fitted"]
    assert files_with(entered_home, SECRET.encode(), *seeds) == []
    assert not any(text in shown.output + told.output for text in (SECRET, *map(bytes.decode, seeds)))


def test_an_agent_that_knows_the_public_episodes_is_flagged(run, entered_home, tmp_path):
    public = sorted({agent_seed(window, seed) for window in range(4) for seed in range(5)})
    source = (Path(__file__).parents[2] / "examples" / "my_agent.py").read_text(encoding="utf-8")
    source += (
        f"\n\nPUBLIC = {public}\nKNOWN = act\n\n\nclass Agent:\n    def reset(self, info):\n"
        "        self.known = info['seed'] in PUBLIC\n\n    def act(self, observation, info):\n"
        "        return KNOWN(observation, info) if self.known else int(observation['action_mask'].nonzero()[0][-1])\n"
    )
    entry = entered_as(entered_home, source)
    (tmp_path / "secret.txt").write_text(SECRET, encoding="utf-8")
    found = run("verify", entry, "--episodes", "2", "--salt", tmp_path / "secret.txt")
    assert found.exit_code == 0
    assert "over-fitted to the public episodes" in found.stderr
    assert "over-fitted to the public episodes" in last_line(entered_home).reason
