"""`edgebench doctor`: on a machine in order, and with one thing after another wrong."""

import json
import tempfile
import tomllib
from pathlib import Path

import pytest

from edgebench.doctor.finding import NOTE, OK, WRONG
from edgebench.doctor.installed import EXTRAS, examine_installed
from edgebench.doctor.places import examine_places
from edgebench.doctor.trial import EPISODES, _difference, examine_play, examine_sandbox
from edgebench.harness.episodes import EpisodeKey, EpisodeResult
from edgebench.harness.limits import Limits

ROOT = Path(__file__).resolve().parents[2]


def found(findings, what):
    return next(finding for finding in findings if finding.what == what)


def test_a_machine_in_order(run, built, with_s1, tmp_path, monkeypatch):
    monkeypatch.setenv("OPENCELLID_TOKEN", "a-secret-token")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = sorted(built.rglob("*"))
    result = run("doctor", "--json")
    assert result.exit_code == 0, result.stdout
    told = json.loads(result.stdout)
    by_name = {finding["what"]: finding for finding in told["findings"]}
    assert told["ok"] and {finding["topic"] for finding in by_name.values()} == {
        "installed", "data", "machine", "sandbox", "self-test",
    }  # fmt: skip
    assert by_name["region sample/s1"]["details"] == by_name["region"]["details"]
    assert by_name["region"]["state"] == by_name["episodes"]["state"] == OK
    assert str(len(EPISODES)) in by_name["episodes"]["said"]
    assert "sandboxed: " in by_name["agent's process"]["said"]
    assert by_name["token"]["said"] == "OPENCELLID_TOKEN is set" and "a-secret" not in result.output
    assert any(name.startswith("numpy") for name in by_name["packages"]["details"])
    assert list(tmp_path.iterdir()) == [] and sorted(built.rglob("*")) == before


def test_regions_that_are_damaged_or_others_than_the_boards(run, home):
    from builders.pipeline import build_region
    from edgebench.registry import region_spec

    build_region(region_spec("s1"), seed=1)
    damaged = home / "processed" / "mine" / "bern"
    damaged.mkdir(parents=True)
    (damaged / "manifest.json").write_text("{}")
    result = run("doctor", "--quick")
    assert result.exit_code == 1
    assert result.stderr.startswith("2 of ") and result.stderr.endswith(" findings are wrong\n")
    shown = " ".join(result.stdout.split())
    assert "not that of the boards" in shown and "mend: edgebench build --region s1 --force" in shown
    assert "region mine/bern" in shown and "self-test" not in shown
    assert {found(examine_places(), f"region {name}").state for name in ("sample/s1", "mine/bern")} == {WRONG}


def test_a_data_folder_that_cannot_be(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("EDGEBENCH_HOME", str(tmp_path / "file" / "home"))
    finding = found(examine_places(), "folder")
    assert finding.state == WRONG and "EDGEBENCH_HOME" in finding.mend
    monkeypatch.setenv("EDGEBENCH_HOME", str(tmp_path / "new"))
    assert found(examine_places(), "folder").state == OK and found(examine_places(), "regions").state == NOTE


def test_packages_that_are_missing_or_too_old(run, tmp_path, monkeypatch):
    record = tmp_path / "edgebench-9.dist-info" / "METADATA"
    record.parent.mkdir()
    wanted = ["numpy>=1.26", "click>=99", "nowhere-to-be-had>=1; extra == 'agents'", "rich>=13; extra == 'plots'"]
    lines = ["Name: edgebench", "Version: 9", "Requires-Python: >=99", *(f"Requires-Dist: {one}" for one in wanted)]
    record.write_text("\n".join(lines) + "\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    findings = list(examine_installed())
    assert found(findings, "Python").state == found(findings, "packages").state == WRONG
    assert found(findings, "packages").said == "lacks click>=99"
    agents = found(findings, "extra agents")
    assert (agents.state, agents.mend) == (NOTE, 'pip install "edgebench[agents]"')
    assert "lacks nowhere-to-be-had>=1" in agents.said and agents.details == {"nowhere-to-be-had>=1": ""}
    assert found(findings, "extra plots").state == OK
    told = run("doctor", "--json")
    assert told.exit_code == 1 and {one["topic"] for one in json.loads(told.stdout)["findings"]} == {"installed"}


def test_every_extra_is_told():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert EXTRAS.keys() == project["optional-dependencies"].keys()


def test_a_sandbox_that_is_not_whole_is_a_note():
    finding = examine_sandbox(Limits(namespaces=()))
    assert finding.state == NOTE and finding.said.startswith("unsandboxed: ") and "docs/sandbox.md" in finding.mend


def test_a_region_that_comes_out_otherwise_is_wrong():
    from builders.pipeline import build_region

    findings = examine_play(lambda spec, target: build_region(spec, target=target, seed=1))
    assert next(findings).state == WRONG
    findings.close()


@pytest.mark.parametrize(
    ("status", "utility", "said"),
    [("ok", 0.5, ""), ("ok", 0.25, "utility is 0.25, must be 0.5"), ("error", None, "error: broken")],
)
def test_an_episode_that_comes_out_otherwise_is_told(status, utility, said):
    detail = "" if status == "ok" else "broken"
    played = EpisodeResult(EpisodeKey("s1", "trap", 0, 0), status, detail, {"utility": utility, "decision_cpu_ms": 1.0})
    assert _difference(played, {"utility": 0.5}) == said
