"""A data folder with a hostile board, a run and region s1, rendered once."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "leaderboard"))

from site_toy import fill, render_into


@pytest.fixture(scope="session")
def site_home(tmp_path_factory):
    """The data folder; tests must not write into it."""
    from builders.pipeline import build_region
    from edgebench.registry import region_spec

    folder = tmp_path_factory.mktemp("site-home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGEBENCH_HOME", str(folder))
        build_region(region_spec("s1"))
        fill(folder)
    return folder


@pytest.fixture
def at_home(site_home, monkeypatch):
    monkeypatch.setenv("EDGEBENCH_HOME", str(site_home))
    return site_home


@pytest.fixture(scope="session")
def written(site_home, tmp_path_factory):
    """The site of that folder: what `write_site` said of it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGEBENCH_HOME", str(site_home))
        return render_into(tmp_path_factory.mktemp("site") / "site")


@pytest.fixture(scope="session")
def site(written):
    return written.folder


@pytest.fixture(scope="session")
def slug(site):
    """Of the board in trap: the toy's regions are none of today's standard, so a digest stands behind its name."""
    (page,) = (site / "board").glob("route_sample_trap_*.html")
    return page.stem
