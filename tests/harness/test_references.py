"""The references are what the random agent and the bound get, frozen where the region is a standard one."""

from __future__ import annotations

import importlib
import json
import shutil
from pathlib import Path

import numpy as np
import pandas
import pytest

from edgebench.constants import EVAL_SEEDS, GATE_SEEDS
from edgebench.envs import make_env
from edgebench.harness.references import FROZEN, ZERO_AGENT, References, bounds_of, compute, compute_on, references
from edgebench.harness.rollout import roll
from edgebench.harness.run import evaluate
from edgebench.harness.statistics import normalise, total_score
from edgebench.harness.summary import scores
from edgebench.region import read_region
from edgebench.registry import DEFAULT_SCENARIO, REGIONS, SCENARIOS, TRACKS


@pytest.mark.parametrize(
    ("scenario", "seeds"), [*((scenario, EVAL_SEEDS) for scenario in sorted(SCENARIOS)), (DEFAULT_SCENARIO, GATE_SEEDS)]
)
@pytest.mark.parametrize("name", sorted(REGIONS))
def test_the_frozen_references_are_recomputed_exactly(regions, name: str, scenario: str, seeds: int) -> None:
    kept = json.loads(FROZEN.read_text(encoding="utf-8"))[regions[name].digest]
    found = compute(regions[name], track="route", scenario=scenario, split="test", seeds=seeds)
    assert vars(found) == kept[f"route/{scenario}/test/{seeds}"]
    assert 0.0 < found.random < found.bound < 1.0


def test_references_of_other_episodes_are_kept_beside_the_region(regions, tmp_path: Path) -> None:
    folder = tmp_path / "s4"
    shutil.copytree(regions["s4"].path, folder)
    region = read_region(folder)
    first = references(region, track="route", scenario="trap", split="val", seeds=1)
    kept = json.loads((folder / "references.json").read_text(encoding="utf-8"))
    assert kept[region.digest]["route/trap/val/1"] == vars(first)
    kept[region.digest]["route/trap/val/1"]["random"] = 0.25
    (folder / "references.json").write_text(json.dumps(kept), encoding="utf-8")
    assert references(region, track="route", scenario="trap", split="val", seeds=1).random == 0.25


def test_every_frozen_reference_is_its_own_nought_and_one() -> None:
    kept = [References(**told) for of_region in json.loads(FROZEN.read_text(encoding="utf-8")).values()
            for told in of_region.values()]  # fmt: skip
    assert len(kept) >= len(TRACKS) * len(REGIONS) * len(SCENARIOS)
    for scale in kept:
        assert normalise(np.array([scale.random, scale.bound]), scale).tolist() == [0.0, 1.0]


@pytest.mark.parametrize("name", TRACKS)
def test_the_gold_self_check(regions, name: str) -> None:
    """Random play and the bound, scored as the episodes of any agent: 0 and 1, but for the rounding of a mean."""
    track, episodes = TRACKS[name], [(0, 0), (1, 3), (3, 4)]
    shared = {"track": name, "edition": "sample", "region": "s1", "split": "test", "scenario": DEFAULT_SCENARIO,
              "status": "ok"}  # fmt: skip
    scale = compute_on(regions["s1"], track=name, scenario=DEFAULT_SCENARIO, split="test", episodes=episodes)
    bounds = bounds_of(track)(regions["s1"], scenario=SCENARIOS[DEFAULT_SCENARIO], split="test", episodes=episodes)
    agent = importlib.import_module(f"{track.agents}.{ZERO_AGENT}").Agent()
    env = make_env(name, regions["s1"], scenario=DEFAULT_SCENARIO, split="test")
    played = [figures[track.metric] for figures in roll(env, agent, episodes)]
    for values, gold in ((played, 0.0), (bounds, 1.0)):
        rows = [shared | {"window": w, "seed": s, track.metric: v} for (w, s), v in zip(episodes, values, strict=True)]
        found = scores([pandas.DataFrame(rows)], {"s1": scale})
        assert total_score(found).value == pytest.approx(gold, abs=1e-12)


def test_the_random_agent_scores_zero_in_its_own_process(built_home: Path, tmp_path: Path) -> None:
    run = evaluate("random-valid", regions=["s1"], out=tmp_path / "run")
    assert run.summary.total.score.value == pytest.approx(0.0, abs=1e-12)
