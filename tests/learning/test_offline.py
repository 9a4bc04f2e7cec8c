"""Behaviour cloning from a recorded dataset."""

import pytest
import torch

from edgebench.harness.recording import record
from edgebench.learning.job import Job
from edgebench.learning.offline import recorded_decisions
from edgebench.learning.play import play_fixed
from edgebench.tracks.route.world import FORM, Sight
from reference_agents.learned.imitation import Imitation, ImitationSettings


def test_a_clone_does_as_the_agent_that_was_recorded(regions, tmp_path, monkeypatch):
    pytest.importorskip("minari")
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    region = regions["s1"]
    names = {"track": "route", "scenario": "trap", "split": "train"}
    kept = record("nearest", "edgebench/clone-v0", region, **names, seeds=1)
    inputs, actions = recorded_decisions(kept, Sight(region.public()))
    assert len(actions) == kept.total_steps
    assert inputs.mask[torch.arange(len(actions)), actions].all()
    method = Imitation(FORM, ImitationSettings(epochs=10), 0, torch.device("cpu"))

    def agreed():
        return (method.best(inputs) == actions).float().mean().item()

    before = agreed()
    method.follow(inputs, actions)
    assert agreed() > max(0.9, before + 0.3)
    job = Job("imitation", regions=("s1",))
    clone = play_fixed(job, method, [region], split="test", seeds=1)["s1"].mean()
    assert clone == pytest.approx(0.32, abs=0.06)  # nearest's own utility on s1
