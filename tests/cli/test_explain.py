"""Where an agent loses: parts that sum to the loss, a run explained at the command line."""

import importlib
from pathlib import Path

import numpy as np
import pytest

from edgebench.constants import COST_REF_USD
from edgebench.envs import make_env
from edgebench.explain.replay import FAILED
from edgebench.explain.route import parts_of
from edgebench.harness.rollout import roll
from edgebench.registry import TRACKS
from edgebench.track import named
from edgebench.tracks.route.state import DONE, DOWN, INVALID, LATE, PROGRESS, TASK

EXAMPLE = Path(__file__).parents[2] / "examples" / "my_agent.py"


class Invalid:
    def reset(self, info):
        pass

    def act(self, observation):
        return -1


def agent(track, name):
    return importlib.import_module(f"{TRACKS[track].agents}.{name.replace('-', '_')}").Agent()


@pytest.mark.parametrize("scenario", ["trap", "outage"])
@pytest.mark.parametrize("track", sorted(TRACKS))
def test_the_parts_sum_to_the_loss(s1, track, scenario):
    losses, metric = named(TRACKS[track].losses), TRACKS[track].metric
    env = make_env(track, s1, scenario=scenario, split="test")
    for name in ("random-valid", TRACKS[track].guide):
        (figures,) = roll(env, agent(track, name), [(1, 3)])
        parts = losses.of_episode(env.simulation)
        assert list(parts) == list(losses.parts)
        assert min(parts.values()) >= 0.0
        assert sum(parts.values()) == pytest.approx(losses.of_metric(figures[metric]), rel=1e-12)


def test_what_does_not_happen_costs_nothing_and_what_always_does_costs_all(s1):
    calm = make_env("route", s1, scenario="calm", split="test")
    losses = named(TRACKS["route"].losses)
    (_,) = roll(calm, agent("route", "random-valid"), [(0, 0)])
    parts = losses.of_episode(calm.simulation)
    assert parts["traps"] == parts["late: traps"] == parts["node down"] == parts["invalid action"] == 0.0
    assert min(parts["queues"], parts["late: queues"], parts["quality"], parts["service"]) > 0.0
    (_,) = roll(calm, Invalid(), [(0, 0)])
    assert {name: part for name, part in losses.of_episode(calm.simulation).items() if part} == {"invalid action": 1.0}


def test_parts_of_route_tasks_worked_by_hand():
    tasks, progress = np.zeros(5, TASK), np.zeros(5, PROGRESS)
    tasks["quality_weight"], tasks["speed_weight"] = (0.6, 0.9, 0.6, 0.6, 0.6), (0.4, 0.1, 0.4, 0.4, 0.4)
    tasks["deadline_ms"], tasks["stages"] = 10_000.0, 5
    progress["outcome"] = DONE, DONE, LATE, DOWN, INVALID
    progress["quality_sum"], progress["cost_usd"] = (
        (4.0, 0.5, 3.0, 0.0, 0.0),
        np.array((0.5, 3, 1, 1, 1)) * COST_REF_USD,
    )
    progress["latency_ms"] = 5_000.0, 10_000.0, 20_000.0, 20_000.0, 20_000.0
    progress["parts_ms"][0] = 500.0, 500.0, 1_000.0, 1_500.0, 500.0, 1_000.0
    progress["parts_ms"][1] = 0.0, 0.0, 0.0, 0.0, 0.0, 10_000.0
    progress["parts_ms"][2] = 1_000.0, 1_000.0, 2_000.0, 2_000.0, 0.0, 0.0  # 14 s of the queue it never left
    parts = {name: part.round(12).tolist() for name, part in parts_of(tasks, progress).items()}
    answered = {"network": 0.04, "traps": 0.04, "queues": 0.06, "loading": 0.02, "service": 0.04}
    assert {name: part[0] for name, part in parts.items() if part[0]} == answered | {"quality": 0.12, "cost": 0.05}
    below_zero = {"service": 0.1, "quality": 0.81, "cost": 0.3}
    assert {name: part[1] for name, part in parts.items() if part[1]} == pytest.approx(
        {name: part / 1.21 for name, part in below_zero.items()}
    )
    assert {name: part[2] for name, part in parts.items() if part[2]} == {
        "late: network": 0.1, "late: traps": 0.1, "late: queues": 0.8,
    }  # fmt: skip
    assert [parts["node down"], parts["invalid action"]] == [[0.0, 0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 0.0, 1.0]]


@pytest.fixture(scope="module")
def evaluated(built, tmp_path_factory):
    """The run of the example on s1, four episodes."""
    from edgebench.harness.run import evaluate

    folder = tmp_path_factory.mktemp("explained") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGEBENCH_HOME", str(built))
        evaluate(str(EXAMPLE), regions=["s1"], seeds=1, out=folder)
    return folder


def test_a_run_is_explained_beside_lookahead(run_json, with_s1, evaluated, s1):
    found = run_json("explain", evaluated)
    rows = [line.split(",") for line in (evaluated / "episodes.csv").read_text().splitlines()]
    utility = np.mean([float(row[rows[0].index("utility")]) for row in rows[1:]])
    env = make_env("route", s1, split="test")
    guides = np.mean(
        [figures["utility"] for figures in roll(env, agent("route", "lookahead"), [(w, 0) for w in range(4)])]
    )
    assert found["agents"] == {"agent": "my_agent", "guide": "lookahead"} and found["episodes"] == 4
    for who, mean in (("agent", utility), ("guide", guides)):
        told = found["all"][who]
        assert told["loss"] == pytest.approx(1.0 - mean, rel=1e-12) == pytest.approx(sum(told["parts"].values()))
        assert found["regions"]["s1"][who] == told
    assert found["all"]["agent"]["parts"].keys() == found["meanings"].keys()


def test_the_table_says_what_it_loses_most_by_and_the_plot_is_drawn(run, with_s1, evaluated, tmp_path):
    plot = tmp_path / "why.png"
    result = run("explain", evaluated, "--plot", plot)
    assert result.exit_code == 0, result.stderr
    words = " ".join(result.stdout.split())
    assert "lost to that is my_agent lookahead difference" in words and "1 - utility all of it" in words
    assert "beside lookahead it loses 0." in words and "the most of any part" in words
    assert plot.read_bytes().startswith(b"\x89PNG") and "wrote" in result.stderr


def test_failed_episodes_lose_all_in_a_part_of_their_own(run, run_json, with_s1, tmp_path):
    lazy = tmp_path / "lazy.py"
    lazy.write_text("def act(observation, info):\n    pass\nraise ValueError\n")
    for track in ("route", "place"):
        folder = tmp_path / track
        assert run("eval", lazy, "--regions", "s1", "--track", track, "--out", folder).exit_code == 1
    found = run_json("explain", tmp_path / "route")["all"]
    assert {name: part for name, part in found["agent"]["parts"].items() if part} == {FAILED: 1.0}
    assert found["guide"]["parts"][FAILED] == 0.0
    result = run("explain", tmp_path / "place")
    assert result.exit_code == 2 and "failed in every episode" in result.stderr


def test_a_run_that_comes_out_otherwise_is_refused(run, with_s1, evaluated, tmp_path):
    for name in ("manifest.json", "summary.json", "agent.py"):
        (tmp_path / name).write_bytes((evaluated / name).read_bytes())
    rows = (evaluated / "episodes.csv").read_text().splitlines()
    cells, place = rows[2].split(","), rows[0].split(",").index("utility")
    cells[place] = "0.9"
    rows[2] = ",".join(cells)
    (tmp_path / "episodes.csv").write_text("\n".join(rows) + "\n")
    result = run("explain", tmp_path)
    assert result.exit_code == 2 and "utility was 0.9, now 0." in result.stderr
    assert "mend: evaluate the agent again" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["nowhere"], "no such folder"), (["HOME"], "manifest.json"), (["HOME", "--plot", "why.svg"], "end it with .png")],
)
def test_mistakes_are_told(run, home, arguments, said):
    home.mkdir(exist_ok=True)
    result = run("explain", *(home if word == "HOME" else word for word in arguments))
    assert result.exit_code == 2 and said in result.stderr and "Traceback" not in result.output
