# expected: ok
# ruff: noqa: PTH101, PTH104, PTH105, PTH108, PTH123
"""Raises its score in the run folder, then deletes, replaces and moves what is there."""

import os
import shutil

FOLDER = "@RUN@"


def replace():
    with open("better.csv", "w") as better:
        better.write("region,utility\ntoy,1.0\n")
    os.replace("better.csv", f"{FOLDER}/episodes.csv")


def act(observation, info):
    ways = [
        lambda: open(f"{FOLDER}/episodes.csv", "w").close(),
        lambda: open(f"{FOLDER}/new", "w").close(),
        lambda: os.truncate(f"{FOLDER}/episodes.csv", 0),
        lambda: os.unlink(f"{FOLDER}/episodes.csv"),
        lambda: os.chmod(FOLDER, 0o777),
        lambda: os.rename(FOLDER, f"{FOLDER}-gone"),
        lambda: shutil.rmtree(FOLDER),
        replace,
    ]
    return 2 if any(map(succeeds, ways)) else 1


def succeeds(way):
    try:
        way()
    except OSError:
        return False
    return True
