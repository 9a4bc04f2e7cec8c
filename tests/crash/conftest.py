"""A small data folder in which commands are killed, refused and run at once: two runs, two entries, s1 alone."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edgebench import registry

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

ONE_REGION = """
import sys
from edgebench import registry
registry.REGIONS = {"s1": registry.REGIONS["s1"]}
from edgebench.cli import main
main(prog_name="edgebench")
"""


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    """The data folder; tests must not write into it."""
    from killed_world import make_world

    folder = tmp_path_factory.mktemp("world") / "home"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGEBENCH_HOME", str(folder))
        patch.setattr(registry, "REGIONS", {"s1": registry.REGIONS["s1"]})
        make_world(folder)
    return folder


@pytest.fixture
def home(world, tmp_path, monkeypatch):
    """A copy to write into, in use here and in the processes that are started."""
    folder = tmp_path / "home"
    shutil.copytree(world, folder)
    monkeypatch.setenv("EDGEBENCH_HOME", str(folder))
    monkeypatch.setattr(registry, "REGIONS", {"s1": registry.REGIONS["s1"]})
    return folder


@pytest.fixture
def begin(home):
    """Start the command line in a process of its own, in `home`."""

    def start(*words):
        return subprocess.Popen(
            [sys.executable, "-c", ONE_REGION, *map(str, words)],
            cwd=home, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    return start
