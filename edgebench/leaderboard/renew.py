"""The boards of the reference agents, evaluated anew where they are not what the code here yields.

python -m edgebench.leaderboard.renew [TRACK…]

Every reference agent of every track, in the scenarios of the tags, on all standard regions of the sample. An entry
that is in order is left alone, so a run that is killed goes on where it stopped.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from edgebench.harness.agents import reference_agents
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
            for name in reference_agents(find_track(track).agents):
                folder = leaderboards_dir(track, SAMPLE_EDITION) / scenario / name
                if folder.is_dir() and not validate(folder):
                    continue
                yield _enter(track, scenario, name)
        write_board(rank(read_board(track, SAMPLE_EDITION)), track, SAMPLE_EDITION)


def _enter(track: str, scenario: str, name: str) -> str:
    out: Path = home() / "runs" / "renew" / f"{track}-{scenario}-{name}"
    run = evaluate(name, track=track, regions=list(REGIONS), scenario=scenario, out=out, overwrite=True)
    submit(out, name, force=True, reason=REASON)
    shutil.rmtree(out)
    return f"{track} {scenario} {name}: {run.summary.total.score.value:.3f}"


if __name__ == "__main__":
    for line in renew(sys.argv[1:] or list(TRACKS)):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
