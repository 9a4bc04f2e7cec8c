"""Render modes of the Route environment: what they show, and that they change nothing."""

import copy
import itertools
import pickle
import re
import sys
import warnings

import gymnasium
import numpy as np
import pytest
from grids import EVERY_CASE
from gymnasium.utils.env_checker import check_env
from random_play import digest, play, valid_actions
from varied_regions import VARIED, varied

import edgebench  # noqa: F401  (registers)
from edgebench.errors import EdgeBenchError
from edgebench.registry import SCENARIOS
from edgebench.tracks.route.env import RouteEnv
from edgebench.tracks.route.render import RENDER_FPS, RENDER_MODES

pytest.importorskip("PIL")
matplotlib = pytest.importorskip("matplotlib")
EVERY_MODE = pytest.mark.parametrize("mode", RENDER_MODES)
DRAWN = pytest.mark.parametrize("scenario", SCENARIOS if EVERY_CASE else ["trap", "outage"])  # seconds an episode
OPTIONS = {"window": 0, "seed": 0}


@pytest.fixture(autouse=True)
def no_screen():
    """Windows are figures that nobody sees, and none is left behind."""
    from matplotlib import pyplot

    backend = matplotlib.get_backend()
    pyplot.switch_backend("agg")
    yield
    pyplot.close("all")
    pyplot.switch_backend(backend)


def windows():
    from matplotlib import pyplot

    return len(pyplot.get_fignums())


@pytest.fixture
def make(regions):
    """`make(mode, **arguments)`: an environment of s1 that is closed at the end."""
    made = []

    def call(mode, region="s1", **arguments):
        made.append(RouteEnv(regions[region] if isinstance(region, str) else region, render_mode=mode, **arguments))
        return made[-1]

    yield call
    for env in made:
        env.close()


def stepped(env, count, seed=0):
    """After `count` random valid steps of the episode of `OPTIONS`."""
    choose = valid_actions(seed)
    _, info = env.reset(options=OPTIONS)
    for _ in range(count):
        *_, info = env.step(choose(info["action_mask"]))
    return env


class Rendered(gymnasium.Wrapper):
    """Renders after every reset and step, and keeps what that gave."""

    def reset(self, **arguments):
        result = self.env.reset(**arguments)
        self.shown = [self.env.render()]
        return result

    def step(self, action):
        result = self.env.step(action)
        self.shown.append(self.env.render())
        return result


def assert_rendering_changes_nothing(rendered, plain):
    steps = play(plain, options=OPTIONS)
    assert digest(play(rendered, options=OPTIONS)) == digest(steps)
    assert len(rendered.shown) == len(steps)


@DRAWN
def test_words_change_nothing(make, scenario):
    assert_rendering_changes_nothing(Rendered(make("ansi", scenario=scenario)), make(None, scenario=scenario))


def test_a_window_changes_nothing(make):
    plain, human = (play(make(mode, scenario="outage"), options=OPTIONS, most=60) for mode in (None, "human"))
    assert digest(plain) == digest(human)


@DRAWN
def test_frames_change_nothing_are_pictures_and_differ_as_time_goes(make, scenario):
    rendered = Rendered(make("rgb_array", scenario=scenario, split="test"))
    assert_rendering_changes_nothing(rendered, make(None, scenario=scenario, split="test"))
    for frame in rendered.shown:
        assert frame.dtype == np.uint8 and frame.shape == (640, 960, 3)
    for one, other in itertools.pairwise(rendered.shown):
        assert not np.array_equal(one, other)
    rendered.shown[0][:] = 0


@pytest.mark.parametrize("wanted", VARIED)
@EVERY_MODE
def test_regions_of_every_kind_render(make, regions, mode, wanted):
    env, choose = make(mode, varied(regions["s1"], wanted), scenario="outage"), valid_actions(0)
    _, info = env.reset(options=OPTIONS)
    for _ in range(5 if mode == "human" else 25):  # a window is a tenth of a second a step
        assert isinstance(env.render(), {"rgb_array": np.ndarray, "ansi": str, "human": type(None)}[mode])
        *_, info = env.step(choose(info["action_mask"]))


@pytest.mark.parametrize("region", ["s2", "s3", "s4"])
def test_frames_of_the_other_regions(make, region):
    assert stepped(make("rgb_array", region), 20).render().std() > 0


def test_the_same_decision_gives_the_same_frame(make):
    frames = [stepped(make("rgb_array", scenario="outage"), 60).render() for _ in range(2)]
    assert np.array_equal(*frames)


def test_a_second_episode_has_its_own_states(make):
    env = make("rgb_array", scenario="outage")
    stepped(env, 60).render()
    env.reset(options={"window": 1, "seed": 5})
    fresh = make("rgb_array", scenario="outage")
    fresh.reset(options={"window": 1, "seed": 5})
    assert np.array_equal(env.render(), fresh.render())


def near(frame, colour):
    """How many pixels are about of a colour."""
    wanted = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)])
    return int((np.abs(frame.astype(int) - wanted).max(axis=2) < 12).sum())


def test_what_a_moment_holds_is_painted(regions):
    from edgebench.show.frame import FramePainter
    from edgebench.show.style import ACCENT, TRAP
    from edgebench.show.truth import Moment, Transfer

    painter = FramePainter(regions["s1"], "s1")
    nothing = np.zeros(9, bool), np.zeros(25, bool)
    still = Moment(0, 0, 0.0, 0, 0, 0.0, np.zeros(25), *nothing, [], -1, -1, np.zeros(0, np.int64))
    at_rest = painter.paint(still)
    bad = painter.paint(still._replace(bad=np.arange(9) == 2))
    assert near(bad, TRAP) > near(at_rest, TRAP) + 50
    under_way = [painter.paint(still._replace(transfers=[Transfer(3, 16, share)])) for share in (0.1, 0.9)]
    assert near(under_way[0], ACCENT) > near(at_rest, ACCENT) + 500
    assert not np.array_equal(*under_way)
    queued = painter.paint(still._replace(queued_s=np.full(25, 30.0)))
    assert near(queued, "#14213d") > near(at_rest, "#14213d") + 25 * 200
    changed = [
        np.abs(painter.paint(still._replace(**change)).astype(int) - at_rest).max(axis=2) > 0
        for change in (
            {"down": np.arange(25) == 7},
            {"at_node": 7, "user_node": 7},
            {"candidate_nodes": np.array([7])},
        )
    ]
    painted = painter._points[7][0] / 2, painter._points[7][1] / 2
    for pixels in changed:
        rows, columns = np.nonzero(pixels[70:600])
        assert rows.size > 20
        assert abs(rows + 70 - painted[1]).max() < 20 and abs(columns - painted[0]).max() < 20


def test_an_unknown_mode_is_refused_with_the_nearest(make):
    with pytest.raises(EdgeBenchError, match="did you mean 'rgb_array'"):
        make("rgb_aray")


def test_without_a_mode_rendering_warns_and_gives_nothing(make):
    env = stepped(make(None), 1)
    with pytest.warns(UserWarning, match="render_mode"):
        assert env.render() is None


@EVERY_MODE
def test_rendering_before_the_first_reset_is_refused(make, mode):
    with pytest.raises(EdgeBenchError, match=r"call reset\(\)"):
        make(mode).render()


@EVERY_MODE
def test_make_and_its_checks_take_every_mode_without_a_warning(built_home, mode):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env = gymnasium.make("EdgeBench/Route-S1-v0", render_mode=mode)
        env.reset(seed=0)
        for _ in range(3):
            env.render()
            env.step(0)
        check_env(env.unwrapped, skip_render_check=mode != "ansi")
        env.close()
    assert env.metadata["render_fps"] == RENDER_FPS > 0


def test_lists_of_frames_as_a_film_needs_them(built_home):
    env = gymnasium.make("EdgeBench/Route-S1-v0", render_mode="rgb_array_list")
    env.reset(seed=0)
    for _ in range(4):
        env.step(0)
    frames = env.render()
    assert [frame.shape for frame in frames] == [(640, 960, 3)] * 5
    env.close()


def test_a_film(built_home, tmp_path):
    pytest.importorskip("moviepy", reason="RecordVideo needs moviepy")
    env = gymnasium.wrappers.RecordVideo(gymnasium.make("EdgeBench/Route-S1-v0", render_mode="rgb_array"), tmp_path)
    env.reset(seed=0)
    for _ in range(5):
        env.step(0)
    env.close()
    assert list(tmp_path.glob("*.mp4"))


def test_a_window_shows_the_frame_after_every_reset_and_step(make):
    human, frames = make("human", scenario="outage"), make("rgb_array", scenario="outage")
    for env in (human, frames):
        env.reset(options=OPTIONS)
    for _ in range(5):
        shown = np.asarray(human._renderer._window._image.get_array())
        assert np.array_equal(shown, frames.render())
        for env in (human, frames):
            env.step(3)
    assert human.render() is None
    assert windows() == 1


def test_a_window_is_closed_with_its_environment_and_opened_again_when_needed(make):
    from matplotlib import pyplot

    env = make("human")
    env.reset(options=OPTIONS)
    pyplot.close("all")
    env.step(0)
    assert windows() == 1
    env.close()
    assert windows() == 0
    env.close()
    env.reset(options=OPTIONS)
    assert windows() == 1


@EVERY_MODE
def test_copies_and_pickles_render_alike(make, mode):
    env = stepped(make(mode, scenario="outage"), 40)
    before = env.render()
    for duplicate in (copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))):  # noqa: S301
        copied = duplicate(env)
        np.testing.assert_array_equal(copied.render(), before)
        assert copied.step(1)[1] == duplicate(env).step(1)[1]
        np.testing.assert_array_equal(env.render(), before)
        copied.close()


def test_words_tell_the_decision(make):
    env = make("ansi", split="test")
    observation, info = env.reset(options=OPTIONS)
    text = env.render()
    assert text.startswith("s1 · trap\n0.000 s: task 0, stage 0 of 5 (text), ")
    assert f"at node {info['node']}, user at node {info['user_node']}; 1 tasks in flight" in text
    assert f"quality {observation['task'][0]:.2f}, speed {observation['task'][1]:.2f}" in text
    assert f"deadline {observation['task'][2]:.1f} s, {observation['task'][2]:.1f} s of it left" in text
    assert "last:" not in text and ">" not in text


def rows_of(text):
    return [line for line in text.splitlines() if re.match(r"[> ] +\d+ +\d+ +\d+ ", line)]


def test_words_hold_a_row_a_candidate_and_no_other(make):
    env = make("ansi", scenario="outage")
    choose, over = valid_actions(2), False
    observation, info = env.reset(options=OPTIONS)
    while not over:
        rows = [row.replace(">", " ").split() for row in rows_of(env.render())]
        assert [int(row[0]) for row in rows] == np.flatnonzero(info["action_mask"]).tolist()
        assert [int(row[1]) for row in rows] == info["instances"][info["action_mask"] == 1].tolist()
        for row in rows[:3]:
            assert float(row[3]) == pytest.approx(observation["candidates"][0, int(row[0])], abs=6e-4)
        observation, _, over, _, info = env.step(choose(info["action_mask"]))
    assert "the episode is over" in env.render() and rows_of(env.render()) == []


def test_words_mark_the_last_choice_where_it_is_offered_again(make):
    env = make("ansi")
    choose, marked = valid_actions(2), 0
    _, info = env.reset(options=OPTIONS)
    for _ in range(60):
        before, action = info, choose(info["action_mask"])
        *_, info = env.step(action)
        instance, text = before["instances"][action], env.render()
        assert f"last: task {before['task']}, stage {before['stage']} to instance {instance} on node " in text
        offered = [int(row[1:].split()[1]) for row in rows_of(text) if row.startswith(">")]
        assert offered == ([instance] if instance in info["instances"] else [])
        marked += len(offered)
    assert marked > 0
    env.step(-1)
    assert "to no candidate" in env.render() and not any(row.startswith(">") for row in rows_of(env.render()))
    env.reset(options=OPTIONS)
    assert "last:" not in env.render()


@EVERY_MODE
def test_every_instance_offered_renders_too(make, mode):
    env = stepped(make(mode, view="full"), 30)
    shown = env.render()
    if mode == "ansi":
        assert len(rows_of(shown)) == env.action_masks().sum() != 32


@pytest.mark.parametrize(("mode", "module"), [("rgb_array", "PIL"), ("human", "PIL"), ("human", "matplotlib")])
def test_without_its_library_a_mode_says_what_to_install(make, monkeypatch, mode, module):
    monkeypatch.setitem(sys.modules, module, None)
    env = make(mode)
    with pytest.raises(EdgeBenchError, match="edgebench\\[plots\\]"):
        env.reset(options=OPTIONS)
        env.render()


def test_importing_the_environment_imports_no_plotting_library():
    import subprocess

    code = "import sys, edgebench.tracks.route.env; print({'matplotlib', 'PIL', 'plotly'} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "set()"
