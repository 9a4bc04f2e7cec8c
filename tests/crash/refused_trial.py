"""Commands on a full disk and in a read-only folder: python refused_trial.py WORLD PLACE, in a mount namespace.

PLACE is covered by a file system in memory that holds a copy of WORLD. Prints for every command and refusal, as JSON:
the exit status, what was told, the parts of the world that were changed; and the exit status of the same command once
there is room, but for train, whose going on others test.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from click.testing import CliRunner
from killed_world import standing

from edgebench import registry
from edgebench.cli import main

QUICK = ("--regions", "s1")
COMMANDS = {
    "build": ("build", "--region", "s1-dag", "--force"),
    "eval": ("eval", "my_agent.py", *QUICK, "--seeds", "1", "--out", "runs/new"),
    "train": ("train", "ppo", *QUICK, "--steps", "300", "--set", "each=4", "--set", "minibatch=256", "--out", "runs/t"),
    "submit": ("submit", "runs/nearest", "--name", "third"),
    "leaderboard": ("leaderboard",),
}
PAGE = 4096
ROOM = {"eval": 4, "submit": 3}
"""Pages of the full disk that are free all the same: enough to begin."""


def mounted(*words):
    subprocess.run(["mount", *words], check=True)


def fill(place, command):
    """Fill the disk but for some pages."""
    size = os.statvfs(place).f_bavail * PAGE - ROOM.get(command, 0) * PAGE
    with (place / "filler").open("wb") as file:
        file.write(b"x" * size)


def call(command):
    result = CliRunner().invoke(main, COMMANDS[command], prog_name="edgebench")
    unforeseen = result.exception is not None and not isinstance(result.exception, SystemExit)
    return {"code": result.exit_code, "told": result.stderr, "unforeseen": repr(result.exception) if unforeseen else ""}


def changed(before, home):
    after = standing(home)
    return sorted(name for name in before if after.get(name) != before[name])


def full(command, place):
    home = place / "home"
    before = standing(home)
    fill(place, command)
    found = call(command) | {"changed": changed(before, home)}
    (place / "filler").unlink()
    return found if command == "train" else found | {"again": call(command)["code"]}


def read_only(command, place):
    before = standing(place / "home")
    mounted("-o", "remount,ro", str(place))
    found = call(command) | {"changed": changed(before, place / "home")}
    mounted("-o", "remount,rw", str(place))
    return found


def attempt(refuse, command, world, place):
    mounted("-t", "tmpfs", "-o", "size=48m", "none", str(place))
    shutil.copytree(world, place / "home")
    os.chdir(place / "home")
    try:
        return refuse(command, place)
    finally:
        os.chdir("/")
        subprocess.run(["umount", "-l", str(place)], check=True)


if __name__ == "__main__":
    world, place = Path(sys.argv[1]), Path(sys.argv[2])
    registry.REGIONS = {"s1": registry.REGIONS["s1"]}
    os.environ["EDGEBENCH_HOME"] = str(place / "home")
    tempfile.tempdir = str(place.parent)
    found = {
        f"{command}, {refuse.__name__}": attempt(refuse, command, world, place)
        for command in COMMANDS
        for refuse in (full, read_only)
    }
    print(json.dumps(found))
