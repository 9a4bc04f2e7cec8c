"""A data folder of its own for every test, one with s1 built for those that only read it."""

import json
import shutil

import pytest
from click.testing import CliRunner

from edgebench.cli import main


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty data folder."""
    monkeypatch.setenv("EDGEBENCH_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """A data folder in which s1 of the sample edition is built."""
    from builders.pipeline import build_region
    from edgebench.registry import region_spec

    folder = tmp_path_factory.mktemp("built")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGEBENCH_HOME", str(folder))
        build_region(region_spec("s1"))
    return folder


@pytest.fixture(scope="session")
def s1(built):
    """The region s1 of that folder, loaded."""
    from edgebench.region import read_region

    return read_region(built / "processed" / "sample" / "s1")


@pytest.fixture
def with_s1(built, monkeypatch):
    """Use the data folder in which s1 is built; tests must not write into it."""
    monkeypatch.setenv("EDGEBENCH_HOME", str(built))
    return built


@pytest.fixture
def run():
    """Call the command line in this process: `run("list", "--json")` gives click's result."""

    def call(*arguments):
        return CliRunner().invoke(main, [str(argument) for argument in arguments], prog_name="edgebench")

    return call


@pytest.fixture
def run_json(run):
    """The same, its standard output read as JSON; the call must succeed."""

    def call(*arguments):
        result = run(*arguments, "--json")
        assert result.exit_code == 0, result.stderr
        return json.loads(result.stdout)

    return call


@pytest.fixture(scope="session")
def entered(built, tmp_path_factory):
    """A data folder whose board is of s1 alone, with the entry of an honest agent; tests must not write into it."""
    from honest_entry import HONEST

    from edgebench.harness.run import evaluate
    from edgebench.leaderboard.submission import submit
    from edgebench.registry import REGIONS

    home = tmp_path_factory.mktemp("entered") / "home"
    shutil.copytree(built, home)
    agent = home / "my_agent.py"
    agent.write_text(HONEST, encoding="utf-8", newline="\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGEBENCH_HOME", str(home))
        patch.setattr("edgebench.registry.REGIONS", {"s1": REGIONS["s1"]})
        evaluate(str(agent), regions=["s1"], out=home / "runs" / "honest")
        submit(home / "runs" / "honest", "honest")
    return home


@pytest.fixture
def entered_home(entered, home, monkeypatch):
    """A copy of that folder to write into."""
    from edgebench.registry import REGIONS

    monkeypatch.setattr("edgebench.registry.REGIONS", {"s1": REGIONS["s1"]})
    shutil.copytree(entered, home)
    return home


@pytest.fixture
def entry(entered_home):
    """The folder of the honest agent's entry in that copy."""
    return entered_home / "leaderboards" / "route" / "sample" / "trap" / "honest"
