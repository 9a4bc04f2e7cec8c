"""A dozen kills at random points; `python benchmarks/kills.py` does a few hundred."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from edgebench.atomic import write_text
from edgebench.harness.agents import NEXT_WEIGHTS, settle_checkpoint
from edgebench.scratch import SUFFIX, scratch

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
ON_POSIX = pytest.mark.skipif(not hasattr(os, "fork"), reason="the trials fork")
HOLDER = """
import os, signal, sys
from pathlib import Path
from edgebench.atomic import atomic_path
with atomic_path(Path(sys.argv[1])) as temporary:
    temporary.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@ON_POSIX
def test_every_kill_leaves_the_old_or_the_new_and_the_same_command_ends_well(world, tmp_path):
    words = ("--tries", "12", "--only", "submit --force,withdraw", "--seed", "1", "--json")
    told = subprocess.run(
        [sys.executable, BENCHMARKS / "kills.py", *words, "--world", world],
        capture_output=True, text=True, check=False, env={**os.environ, "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    assert told.stdout, told.stderr
    figures = json.loads(told.stdout)
    assert figures["survived"] == figures["tried"] == 12, figures
    assert told.returncode == 0


@ON_POSIX
def test_what_a_killed_writer_has_left_is_removed_by_the_next_and_nothing_of_a_living_one(tmp_path):
    target = tmp_path / "table.csv"
    target.write_text("old")
    killed = subprocess.run([sys.executable, "-c", HOLDER, target], check=False)
    assert killed.returncode < 0
    (left,) = tmp_path.glob(f"*{SUFFIX}")
    assert left.read_text() == "half" and target.read_text() == "old"
    with scratch(".table.csv.", tmp_path) as living:
        write_text(target, "new")
        assert living.is_dir()
        assert sorted(tmp_path.iterdir()) == sorted([living, target])
    assert target.read_text() == "new"


def test_weights_that_a_kill_left_aside_take_their_place_when_the_record_names_them(tmp_path):
    import hashlib

    weights, aside = tmp_path / "weights.safetensors", tmp_path / NEXT_WEIGHTS
    weights.write_bytes(b"old")
    aside.write_bytes(b"new")
    settle_checkpoint(tmp_path, {"weights_sha256": hashlib.sha256(b"old").hexdigest()})
    assert weights.read_bytes() == b"old"
    settle_checkpoint(tmp_path, {"weights_sha256": hashlib.sha256(b"new").hexdigest()})
    assert weights.read_bytes() == b"new" and not aside.exists()
