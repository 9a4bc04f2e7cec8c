"""The examples as modules, and a record of whether every action they took was valid."""

import importlib
from pathlib import Path

import pytest

from edgebench.tracks.route.env import RouteEnv

_EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def example(monkeypatch, built_home):
    """A function from the name of an example and of the package it needs to the example's module."""

    def load(name, package):
        pytest.importorskip("torch", reason="needs torch: pip install edgebench[tools]")
        pytest.importorskip(package, reason=f"needs {package}: see docs/tools.md")
        monkeypatch.syspath_prepend(str(_EXAMPLES))
        return importlib.import_module(name)

    return load


@pytest.fixture
def taken(monkeypatch):
    """Whether each action that reaches a Route environment in this process is valid, in order."""
    record, step = [], RouteEnv.step

    def recording_step(self, action):
        record.append(bool(self.action_masks()[int(action)]))
        return step(self, action)

    monkeypatch.setattr(RouteEnv, "step", recording_step)
    return record


@pytest.fixture(scope="package")
def ray_here(tmp_path_factory):
    """Ray within this process; starting it takes as long as a test."""
    pytest.importorskip("ray.rllib", reason="needs ray[rllib]: see docs/tools.md")
    import ray

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        results = str(tmp_path_factory.mktemp("ray_results"))  # else ~/ray_results
        patch.setattr("ray.tune.trainable.trainable.DEFAULT_STORAGE_PATH", results)
        ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False, object_store_memory=100 * 2**20)
        yield
        ray.shutdown()
