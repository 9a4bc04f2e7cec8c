"""Agents written into files, and the small world of `harness_toy` in place of built regions."""

import sys
import textwrap
import types
from pathlib import Path

import pytest
from harness_toy import FakeEnv, FakeReferences, FakeRegion

from edgebench.harness.agents import resolve_agent


@pytest.fixture
def agent_file(tmp_path):
    def write(source: str, name: str = "my_agent.py") -> Path:
        path = tmp_path / name
        path.write_text(textwrap.dedent(source), encoding="utf-8")
        return path

    return write


@pytest.fixture
def agent_source(agent_file):
    return lambda source: resolve_agent(str(agent_file(source)))


@pytest.fixture
def toy_world(monkeypatch):
    """Regions `toy`, `toy2` … of the fake environment in place of built ones."""
    import edgebench.envs
    import edgebench.region

    fake = types.ModuleType("edgebench.harness.references")
    fake.references = lambda region, *, track, scenario, split, seeds: FakeReferences()
    monkeypatch.setitem(sys.modules, "edgebench.harness.references", fake)
    monkeypatch.setattr(edgebench.region, "load", lambda name, *, edition: FakeRegion(name, edition))
    monkeypatch.setattr(
        edgebench.envs, "make_env", lambda track, region, *, scenario, split, privileged: FakeEnv(region)
    )
