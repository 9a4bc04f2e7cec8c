"""The verbs around the gate and the search: what they pass on, print and answer; the work is tested elsewhere."""

import json

import pytest

from edgebench.harness import gate as harness_gate
from edgebench.harness.gate import Check, GateReport
from edgebench.registry import TRACKS


@pytest.fixture
def gate(monkeypatch, with_s1):
    """A gate that measures what it is told to, and the calls it got."""
    calls = []

    def install(ok):
        def run_gate(track, *, regions, edition, on_step):
            calls.append((track, list(regions), edition))
            on_step("s1", 0, 1)
            check = Check("separation", "s1", "nearest over random", 12.0 if ok else 1.0, 5.0)
            return GateReport(track, edition, "trap", {"s1": {"nearest": 12.0}}, [check])

        monkeypatch.setattr(harness_gate, "run_gate", run_gate)
        return calls

    return install


@pytest.mark.parametrize(
    ("ok", "status", "said"), [(True, 0, "the gate of route holds"), (False, 1, "the gate of route does not hold")]
)
def test_the_exit_status_tells_whether_the_gate_holds(run, gate, ok, status, said):
    calls = gate(ok)
    result = run("gate", "--regions", "s1")
    assert result.exit_code == status, result.output
    assert said in result.stderr
    assert "separation" in result.stdout and ("FAILS" in result.stdout) == (not ok)
    assert calls == [("route", ["s1"], "sample")]
    listed = run("gate", "--regions", "s1", "--json")
    assert (listed.exit_code, json.loads(listed.stdout)["ok"]) == (status, ok)


def test_all_tracks_are_measured_one_after_another(run, gate):
    calls = gate(True)
    result = run("gate", "--all", "--regions", "s1")
    assert result.exit_code == 0, result.output
    assert calls == [(track, ["s1"], "sample") for track in TRACKS]
    assert all(f"the gate of {track} holds" in result.stderr for track in TRACKS)
    listed = json.loads(run("gate", "--all", "--regions", "s1", "--json").stdout)
    assert [report["track"] for report in listed] == list(TRACKS)


@pytest.fixture
def searched(monkeypatch, tmp_path):
    """A search that finds its seed, and a weights file of its own for what is kept."""
    import numpy as np

    from reference_agents.route import tuned, tuned_search

    def search(region, scenario, seed, on_round):
        on_round(1, 1)
        return np.full(len(tuned.WEIGHTS), float(seed))

    monkeypatch.setattr(tuned_search, "search", search)
    monkeypatch.setattr(tuned, "WEIGHTS_FILE", tmp_path / "weights.json")
    return tmp_path / "weights.json"


def test_tune_prints_the_weights_it_found(run, run_json, searched, with_s1):
    found = run_json("tune", "--regions", "s1", "--seed", "3")
    assert list(found) == ["s1"] and set(found["s1"].values()) == {3.0}
    assert "3.000" in run("tune", "--regions", "s1", "--seed", "3").stdout
    assert not searched.exists()


def test_tune_keeps_the_weights_of_other_regions(run, searched, with_s1):
    searched.write_text(json.dumps({"s2": {"queue": 1.0}}))
    assert run("tune", "--regions", "s1", "--seed", "3", "--write").exit_code == 0
    kept = json.loads(searched.read_text())
    assert kept["s2"] == {"queue": 1.0} and kept["s1"]["queue"] == 3.0
