"""A full disk and a read-only folder: a clear error, nothing lost; once there is room the same command ends well."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
PLACES = {
    "build": "processed/sample/s1-dag",
    "eval": "runs/new",
    "train": "runs/t/seed-0",
    "submit": "leaderboards",
    "leaderboard": "leaderboards",
}
NAMESPACE = (
    ("unshare", "--mount") if hasattr(os, "getuid") and os.getuid() == 0 else ("unshare", "--map-root-user", "--mount")
)


def can_mount(folder):
    if shutil.which("unshare") is None:
        return False
    tried = subprocess.run([*NAMESPACE, "mount", "-t", "tmpfs", "none", folder], capture_output=True, check=False)
    return tried.returncode == 0


@pytest.fixture(scope="module")
def refused(world, tmp_path_factory):
    place = tmp_path_factory.mktemp("refused") / "place"
    place.mkdir()
    if not can_mount(place):
        pytest.skip("this system allows no mount namespace")
    script = Path(__file__).with_name("refused_trial.py")
    told = subprocess.run(
        [*NAMESPACE, sys.executable, script, world, place],
        capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(BENCHMARKS), *sys.path])},
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    return json.loads(told.stdout)


@pytest.mark.parametrize("command", PLACES)
@pytest.mark.parametrize(
    ("refusal", "what"), [("full", "error: the disk is full"), ("read_only", "error: the file system is read-only")]
)
def test_a_refused_write_is_told_with_its_place_and_loses_nothing(refused, command, refusal, what):
    found = refused[f"{command}, {refusal}"]
    assert not found["unforeseen"] and found["code"] == 2, found
    error = found["told"][found["told"].index("error: ") :].splitlines()
    assert error[0] == what
    assert error[1].startswith("  where: ") and PLACES[command] in error[1]
    assert error[2].startswith("  mend: ")
    assert "Traceback" not in found["told"]
    assert found["changed"] == []
    assert found.get("again", 0) == 0
