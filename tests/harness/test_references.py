"""The references are what the random agent and the bound get, frozen where the region is a standard one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from edgebench.constants import EVAL_SEEDS, GATE_SEEDS
from edgebench.harness.references import FROZEN, compute, references
from edgebench.harness.run import evaluate
from edgebench.region import read_region
from edgebench.registry import DEFAULT_SCENARIO, REGIONS, SCENARIOS


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


def test_the_random_agent_scores_zero_in_its_own_process(built_home: Path, tmp_path: Path) -> None:
    run = evaluate("random-valid", regions=["s1"], out=tmp_path / "run")
    assert run.summary.total.score.value == pytest.approx(0.0, abs=1e-12)
