"""The gate holds on every standard region, on the sample and on real cells, and it can fail."""

from __future__ import annotations

import math
import os
from pathlib import Path

import numpy as np
import pytest
from grids import EVERY_CASE, SELDOM

from builders.pipeline import build_region
from edgebench.constants import GATE_SEEDS
from edgebench.errors import EdgeBenchError
from edgebench.harness.gate import ZERO, Check, GateReport, run_gate
from edgebench.registry import REGIONS, TRACKS, UNSEEN
from edgebench.track import named
from edgebench.tracks.route.gate import PARTS
from reference_agents.route import tuned_search
from reference_agents.route.tuned import WEIGHTS

REAL_CELLS = {
    "s1": "228_mls_202403.csv.gz",
    "s2": "234_ocid_20260131_headerless.csv.gz",
    "s3": "262_mls_202403.csv.gz",
    "s4": "222_mls_202301.csv.gz",
}
FAILED = "these checks fail: {}"


def failures(report: GateReport) -> str:
    return FAILED.format(
        [(check.name, round(check.value, 2), check.least) for check in report.checks if not check.holds]
    )


EVERY_TRACK = pytest.mark.parametrize("track", sorted(TRACKS))
EVERY_REGION = pytest.mark.parametrize("name", sorted(REGIONS))

SEEDS = {"allocate": 2, "offload": 2, "place": 1, "route": GATE_SEEDS}
"""Scenario seeds a window that the tests can afford; docs/gate.md shows all tracks under 15."""


def is_seldom(track: str, region: str) -> bool:
    """Whether this gate takes so long that it is measured where tests may take minutes."""
    return (track, region) != ("route", "s1") and region != UNSEEN and not EVERY_CASE


@EVERY_TRACK
@EVERY_REGION
def test_the_gate_holds_on_the_sample(built_home: Path, track: str, name: str) -> None:
    if is_seldom(track, name):
        pytest.skip(SELDOM)
    report = run_gate(track, regions=[name], seeds=SEEDS[track])
    assert report.ok, failures(report)
    plan = named(TRACKS[track].gate)
    assert list(report.scores[name]) == [ZERO, *plan.trivial, *plan.heuristics, *plan.trained, "bound"]
    titles = {check.table for check in report.checks}
    assert {"separation (points)", "honesty"} <= titles and ("cross-domain (points)" in titles) == (name == UNSEEN)
    assert ({check.name for check in report.checks} >= set(PARTS)) == (track == "route")


@EVERY_TRACK
@EVERY_REGION
def test_the_gate_holds_on_real_cells(track: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = os.environ.get("EDGEBENCH_TEST_DATA")
    if not data:
        pytest.skip("EDGEBENCH_TEST_DATA is not set: no real cells")
    if not EVERY_CASE:
        pytest.skip(SELDOM)
    monkeypatch.setenv("EDGEBENCH_HOME", str(tmp_path))
    build_region(REGIONS[name], cells=Path(data) / "cells" / REAL_CELLS[name], edition="real")
    report = run_gate(track, regions=[name], edition="real", seeds=SEEDS[track])
    assert report.ok, failures(report)


def test_the_gate_fails_where_the_tuned_policy_is_blind(built_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuned_search, "weights_of", lambda region, scenario: np.zeros(len(WEIGHTS)))
    report = run_gate("route", regions=["s1"], seeds=4)
    assert not report.ok
    failed = {check.name for check in report.checks if not check.holds}
    assert "tuned above the best heuristic" in failed
    assert any("FAILS" in cell for table in report.tables() for row in table.rows for cell in row)


def test_a_check_that_is_not_a_number_does_not_hold() -> None:
    assert not Check("table", "s1", "name", math.nan, 0.0).holds


def test_a_gate_without_checks_does_not_hold() -> None:
    assert not GateReport("route", "sample", "trap").ok


def test_the_gate_wants_a_region() -> None:
    with pytest.raises(EdgeBenchError, match="no region"):
        run_gate("route", regions=[])
