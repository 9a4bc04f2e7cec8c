"""A checkpoint on a machine that has compiled nothing yet: what it sees by is compiled before its episodes count."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from grids import EVERY_CASE, SELDOM

CHECKPOINT = Path(__file__).parents[2] / "reference_agents" / "trained" / "offload" / "es-x10"


@pytest.mark.skipif(not EVERY_CASE, reason=SELDOM)
@pytest.mark.skipif(sys.platform == "win32", reason="machine code is kept elsewhere on Windows")
def test_no_episode_runs_out_of_time_while_it_compiles(built_home, tmp_path):
    words = ("eval", CHECKPOINT, "--track", "offload", "--regions", "s1", "--seeds", "1", "--out", "run", "--json")
    told = subprocess.run(
        [sys.executable, "-m", "edgebench.cli", *map(str, words)], capture_output=True, text=True, check=False,
        cwd=tmp_path, env={**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")},
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout)["summary"]["total"]["statuses"]["ok"] == 4
