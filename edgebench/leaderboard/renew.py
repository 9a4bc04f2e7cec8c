"""The boards of the reference agents, evaluated anew where they are not what the code here yields.

python -m edgebench.leaderboard.renew [TRACK…]

Every reference agent of every track and every trained one (`edgebench.leaderboard.trained`), in the scenarios of the
tags, on all standard regions of the sample. An entry that is in order is left alone, so a run that is killed goes on
where it stopped.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from edgebench.errors import EdgeBenchError
from edgebench.harness.agents import reference_agents, resolve_agent, trained_agents
from edgebench.harness.manifest import read_manifest
from edgebench.harness.run import evaluate
from edgebench.leaderboard.board import rank, read_board
from edgebench.leaderboard.ledger import begin
from edgebench.leaderboard.page import write_board
from edgebench.leaderboard.submission import submit
from edgebench.leaderboard.tags import TAGGED_SCENARIOS
from edgebench.leaderboard.validate import validate
from edgebench.paths import boards_dir, home, leaderboards_dir
from edgebench.registry import REGIONS, SAMPLE_EDITION, TRACKS
from edgebench.registry import track as find_track

REASON: Final = "reference agents"
"""Of the renewal's lines in the ledger."""


def renew(tracks: list[str]) -> Iterator[str]:
    """Evaluate and enter what is missing or stale; yields a line for each entry that was made.

    Raises:
        EdgeBenchError: A region is not built, or an agent cannot be evaluated.
    """
    begin(boards_dir(), REASON)
    for track in tracks:
        for scenario in TAGGED_SCENARIOS:
            for name, agent in board_agents(track).items():
                if not _is_current(leaderboards_dir(track, SAMPLE_EDITION) / scenario / name, agent, track):
                    yield _enter(track, scenario, name, agent)
        write_board(rank(read_board(track, SAMPLE_EDITION)), track, SAMPLE_EDITION)


def board_agents(track: str) -> dict[str, str]:
    """By the name of its entry every agent that stands on a track's boards, as `edgebench eval` is told it.

    Raises:
        EdgeBenchError: A trained agent bears the name of a reference agent.
    """
    references = reference_agents(find_track(track).agents)
    trained = trained_agents(track)
    twice = sorted(references.keys() & trained.keys())
    if twice:
        raise EdgeBenchError(
            "a reference agent bears this name", where=str(trained[twice[0]]), mend="rename the folder"
        )
    return {name: name for name in references} | {name: str(folder) for name, folder in trained.items()}


def _is_current(entry: Path, agent: str, track: str) -> bool:
    """Whether an entry is in order, and of the agent as it is now."""
    if not entry.is_dir() or validate(entry):
        return False
    sha256: str = read_manifest(entry / "manifest.json")["agent"]["sha256"]
    return sha256 == resolve_agent(agent, track).sha256


def _enter(track: str, scenario: str, name: str, agent: str) -> str:
    out: Path = home() / "runs" / "renew" / f"{track}-{scenario}-{name}"
    run = evaluate(agent, track=track, regions=list(REGIONS), scenario=scenario, out=out, overwrite=True)
    submit(out, name, force=True, reason=REASON)
    shutil.rmtree(out)
    return f"{track} {scenario} {name}: {run.summary.total.score.value:.3f}"


if __name__ == "__main__":
    for line in renew(sys.argv[1:] or list(TRACKS)):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
