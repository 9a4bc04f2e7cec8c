import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from harness_toy import HEALTHY, ROUTE, FakeRegion

import edgebench
from edgebench.errors import EdgeBenchError
from edgebench.harness.agents import CHECKPOINT_FILES, CURVE
from edgebench.harness.journal import read_episodes
from edgebench.harness.process import Budgets
from edgebench.harness.run import RUN_FILES, evaluate

pytestmark = pytest.mark.usefixtures("toy_world")


@pytest.fixture
def agent(agent_file):
    return str(agent_file(HEALTHY))


def keys(episodes):
    return list(zip(episodes["region"], episodes["window"], episodes["seed"], strict=True))


EXPECTED = [(region, window, seed) for region in ("toy", "toy2") for window in range(2) for seed in range(3)]


def test_all_fixed_episodes_are_played_in_order_of_key(agent, tmp_path):
    told = []
    run = evaluate(
        agent,
        regions=["toy2", "toy"],
        seeds=3,
        out=tmp_path / "run",
        on_episode=lambda result, done, total: told.append((done, total, result.status)),
    )
    assert keys(run.episodes) == EXPECTED
    assert told == [(done, 12, "ok") for done in range(1, 13)]
    assert run.episodes["episode"].tolist() == [0, 1, 2, 3, 4, 5] * 2
    assert run.summary.total.statuses == {"ok": 12, "invalid": 0, "error": 0, "timeout": 0}


def test_the_run_folder_holds_everything(agent, tmp_path):
    out = tmp_path / "run"
    run = evaluate(agent, regions=["toy"], seeds=2, out=out, budgets=Budgets(decision_wall_s=9.0))
    assert sorted(path.name for path in out.glob("[!.]*")) == sorted({*RUN_FILES} - {*CHECKPOINT_FILES, CURVE})
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert manifest == run.manifest
    assert manifest["edgebench_version"] == edgebench.__version__
    assert manifest["regions"] == {"toy": FakeRegion.digest}
    assert manifest["overrides"] == ["decision_wall_s"]
    assert manifest["finished"] >= manifest["started"] and manifest["wall_s"] > 0.0
    assert str(tmp_path) not in (out / "manifest.json").read_text(encoding="utf-8")
    assert (out / "agent.py").read_bytes() == Path(agent).read_bytes()
    assert json.loads((out / "summary.json").read_text(encoding="utf-8")) == run.summary.as_json()
    assert read_episodes(out / "episodes.csv", ROUTE).equals(run.episodes)


def test_without_out_nothing_is_written_and_the_figures_are_the_same(agent, tmp_path):
    kept = evaluate(agent, regions=["toy"], seeds=2, out=tmp_path / "run")
    before = sorted(tmp_path.rglob("*"))
    free = evaluate(agent, regions=["toy"], seeds=2)
    assert free.folder is None and sorted(tmp_path.rglob("*")) == before
    assert free.episodes.drop(columns="decision_cpu_ms").equals(kept.episodes.drop(columns="decision_cpu_ms"))


def test_hostile_agents_are_counted_and_the_run_goes_on(agent_file):
    source = textwrap.dedent("""
        import os, time
        class Agent:
            def reset(self, info):
                self.way = info["seed"] % 7
            def act(self, observation):
                if self.way == 0: os._exit(3)
                if self.way == 1: time.sleep(1e6)
                if self.way == 2: return float("nan")
                if self.way == 3: return 31
                if self.way == 4: raise ValueError
                if self.way == 5: print("x" * 2**20)
                if self.way == 6: os.fork()
                return 0
    """)
    run = evaluate(str(agent_file(source)), regions=["toy", "toy2"], seeds=7, budgets=Budgets(decision_wall_s=0.3))
    counts = run.summary.total.statuses
    assert sum(counts.values()) == len(run.episodes) == 28
    assert all(counts[status] > 0 for status in counts)
    failed = run.episodes[run.episodes["status"] != "ok"]
    assert (
        (failed["utility"] == 0.0).all() and failed["latency_mean_ms"].isna().all() and (failed["detail"] != "").all()
    )


class Stop(Exception):
    pass


def interrupted(agent, out, after):
    def stop(result, done, total):
        if done == after:
            raise Stop

    with pytest.raises(Stop):
        evaluate(agent, regions=["toy", "toy2"], seeds=3, out=out, on_episode=stop)


def test_an_interrupted_run_resumes_where_it_was(agent, tmp_path):
    out, told = tmp_path / "run", []
    interrupted(agent, out, after=5)
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["finished"] is None and manifest["wall_s"] > 0.0
    run = evaluate(
        agent, regions=["toy", "toy2"], seeds=3, out=out, on_episode=lambda result, done, total: told.append(done)
    )
    assert told == list(range(6, 13)) and keys(run.episodes) == EXPECTED
    assert run.manifest["started"] == manifest["started"] and run.manifest["wall_s"] > manifest["wall_s"]


def test_a_resumed_run_equals_an_unbroken_one(agent, tmp_path):
    interrupted(agent, tmp_path / "broken", after=4)
    csv = tmp_path / "broken" / "episodes.csv"
    csv.write_bytes(csv.read_bytes()[:-30])
    resumed = evaluate(agent, regions=["toy", "toy2"], seeds=3, out=tmp_path / "broken")
    whole = evaluate(agent, regions=["toy", "toy2"], seeds=3, out=tmp_path / "whole")
    assert resumed.episodes.drop(columns="decision_cpu_ms").equals(whole.episodes.drop(columns="decision_cpu_ms"))


def test_a_finished_run_is_only_read_again(agent, tmp_path):
    first = evaluate(agent, regions=["toy"], seeds=2, out=tmp_path / "run")

    def never(result, done, total):
        raise AssertionError("nothing is left to play")

    second = evaluate(agent, regions=["toy"], seeds=2, out=tmp_path / "run", on_episode=never)
    assert second.episodes.equals(first.episodes) and second.summary == first.summary
    assert second.manifest["finished"] == first.manifest["finished"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scenario": "calm"}, "scenario was trap, now calm"),
        ({"split": "val"}, "split was test, now val"),
        ({"seeds": 3}, "seeds was 2, now 3"),
        ({"privileged": True}, "privileged was False, now True"),
        ({"regions": ["toy", "toy2"]}, "regions.toy2 was absent"),
        ({"budgets": Budgets(decision_cpu_s=9.0)}, r"budgets.decision_cpu_s was 1.0, now 9.0"),
        ({"edition": "other"}, "edition was sample, now other"),
    ],
)
def test_another_run_is_not_mixed_in(agent, tmp_path, change, message):
    usual = {"regions": ["toy"], "seeds": 2, "out": tmp_path / "run"}
    evaluate(agent, **usual)
    before = (tmp_path / "run" / "episodes.csv").read_bytes()
    with pytest.raises(EdgeBenchError, match=rf"{message}[\s\S]*--overwrite"):
        evaluate(agent, **(usual | change))
    assert (tmp_path / "run" / "episodes.csv").read_bytes() == before


def test_a_changed_agent_or_region_or_version_is_refused_until_overwritten(agent, agent_file, tmp_path, monkeypatch):
    usual = {"regions": ["toy"], "seeds": 1, "out": tmp_path / "run"}
    evaluate(agent, **usual)
    agent_file(HEALTHY + "\n# another agent\n")
    with pytest.raises(EdgeBenchError, match=r"agent.sha256 was"):
        evaluate(agent, **usual)
    assert len(evaluate(agent, **usual, overwrite=True).episodes) == 2
    assert "another agent" in (tmp_path / "run" / "agent.py").read_text(encoding="utf-8")
    monkeypatch.setattr(FakeRegion.__init__, "__defaults__", ("toy", "sample", "e" * 64))
    with pytest.raises(EdgeBenchError, match=r"regions.toy was dddd.*now eeee"):
        evaluate(agent, **usual)
    monkeypatch.setattr(edgebench, "__version__", "9.9.9")
    with pytest.raises(EdgeBenchError, match=r"edgebench_version was .* now 9.9.9"):
        evaluate(agent, **usual)


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_of_something_else_is_left_alone(agent, tmp_path, overwrite):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "episodes.csv").write_text("mine", encoding="utf-8")
    with pytest.raises(EdgeBenchError, match="not a run folder"):
        evaluate(agent, regions=["toy"], out=tmp_path / "notes", overwrite=overwrite)
    assert (tmp_path / "notes" / "episodes.csv").read_text(encoding="utf-8") == "mine"


def test_a_damaged_manifest_is_refused(agent, tmp_path):
    evaluate(agent, regions=["toy"], seeds=1, out=tmp_path / "run")
    for text in ("{", "[]", "{}"):
        (tmp_path / "run" / "manifest.json").write_text(text, encoding="utf-8")
        with pytest.raises(EdgeBenchError, match="damaged or foreign manifest"):
            evaluate(agent, regions=["toy"], seeds=1, out=tmp_path / "run")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"agent": "no-such-agent"}, "unknown agent"),
        ({"track": "rout"}, "did you mean 'route'"),
        ({"scenario": "trip"}, "did you mean 'trap'"),
        ({"regions": []}, "regions must be named"),
        ({"regions": ["toy", "toy"]}, "each once"),
        ({"seeds": 0}, "0 scenario seeds"),
    ],
)
def test_a_wrong_request_is_refused_before_anything_is_written(agent, tmp_path, change, message):
    request = {"agent": agent, "regions": ["toy"], "out": tmp_path / "run"} | change
    with pytest.raises(EdgeBenchError, match=message):
        evaluate(request.pop("agent"), **request)
    assert not (tmp_path / "run").exists()


_PROGRAM = """
import sys, time
sys.path.insert(0, {tests!r})
import edgebench.envs, edgebench.region
from pathlib import Path
from harness_toy import FakeEnv, FakeRegion, ROUTE
from edgebench.harness.run import evaluate
edgebench.region.load = lambda name, *, edition: FakeRegion(name, edition)
edgebench.envs.make_env = lambda track, region, *, scenario, split, privileged: FakeEnv(region)
evaluate({agent!r}, regions=["toy"], seeds=500, out=Path({out!r}))
"""


def test_nothing_done_is_lost_to_a_kill(agent, tmp_path):
    out = tmp_path / "run"
    program = _PROGRAM.format(tests=str(Path(__file__).parent), agent=agent, out=str(out))
    running = subprocess.Popen([sys.executable, "-c", program])
    end = time.monotonic() + 60.0
    while time.monotonic() < end and not (out / "episodes.csv").is_file():
        time.sleep(0.01)
    while time.monotonic() < end and len((out / "episodes.csv").read_bytes().splitlines()) < 20:
        time.sleep(0.01)
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    done = (out / "episodes.csv").read_bytes().count(b"\n") - 1
    assert done >= 19
    played = []

    class Enough(Exception):
        pass

    def stop(result, count, total):
        played.append(count)
        raise Enough

    with pytest.raises(Enough):
        evaluate(agent, regions=["toy"], seeds=500, out=out, on_episode=stop)
    assert played == [done + 1]
