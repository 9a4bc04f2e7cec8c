"""Single events of the physics, and what no sequence of actions can break."""

import numpy as np
import pytest
from allocate_toy import Toy, quiet_world, toy_job, toy_jobs, toy_sites
from hypothesis import given, settings
from hypothesis import strategies as st

from edgebench.tracks.allocate.state import DONE, EXPIRED, POINTS_DONE, TERMS

DEFER = -1


def finished(toy):
    return set(toy.state.progress["status"].tolist()) <= {DONE, EXPIRED}


def test_a_job_alone_is_done_where_it_arose():
    toy = Toy(sites := toy_sites([2.0]), quiet_world(sites), toy_jobs(toy_job(0.5)))
    assert toy.valid == [0, 1]
    toy.act(0)
    assert toy.done() == [True]
    assert toy.state.progress["ends_ms"][0] == 10_500.0


def test_sent_away_its_input_holds_the_resources_too():
    toy = Toy(sites := toy_sites([2.0, 2.0]), quiet_world(sites), toy_jobs(toy_job(0.5, payload_mb=2.0)))
    toy.act(1)
    progress = toy.state.progress[0]
    assert (progress["held_ms"], progress["ends_ms"]) == (501.0, 12_501.0)
    assert toy.state.tally["idle_ms"][0] == pytest.approx(2000.0)


def test_a_site_refuses_what_does_not_fit_and_the_time_is_lost():
    """The second request leaves before telemetry tells of the first, and is back at the tick after the way back."""
    jobs = toy_jobs(toy_job(0.5), toy_job(0.6))
    toy = Toy(sites := toy_sites([1.0, 1.0]), quiet_world(sites), jobs)
    toy.act(1)
    assert 1 in toy.valid
    toy.act(1)
    assert toy.asked == 1
    assert toy.state.tally["now_ms"][0] == 1000.0
    assert toy.state.progress["tries"][1] == 1
    toy.act(0)
    assert toy.done() == [True, True]


def test_a_job_expires_when_it_can_no_longer_begin_in_time():
    toy = Toy(sites := toy_sites([1.0]), quiet_world(sites), toy_jobs(toy_job(0.5, slack_s=1.2)))
    toy.act(DEFER)
    assert toy.state.tally["now_ms"][0] == 1000.0
    toy.act(DEFER)
    assert toy.asked == -1
    assert toy.done() == [False]
    assert toy.state.tally["now_ms"][0] == pytest.approx(1700.0)
    assert toy.reward == pytest.approx(-50.0)


def test_a_failing_site_loses_its_jobs_which_may_begin_again_if_slack_is_left():
    jobs = toy_jobs(toy_job(0.5, slack_s=9.0), toy_job(0.6, slack_s=2.0))
    toy = Toy(sites := toy_sites([1.0, 1.0, 1.0]), quiet_world(sites, {1: (3, 9)}), jobs)
    toy.act(1)
    toy.act(1)  # refused, 1 is full
    assert toy.asked == 1
    toy.act(2)
    assert toy.asked == 0, "its site has failed, telemetry has told"
    assert toy.state.tally["now_ms"][0] == 4000.0
    assert toy.valid == [0, 3], "2 runs the other job, 1 is down"
    toy.act(0)
    assert toy.done() == [True, True]


def test_a_job_lost_late_is_a_violation():
    toy = Toy(sites := toy_sites([1.0]), quiet_world(sites, {0: (5, 9)}), toy_jobs(toy_job(0.5, slack_s=2.0)))
    toy.act(0)
    assert toy.asked == -1
    assert toy.done() == [False]


def test_turns_at_a_tick_come_by_priority():
    jobs = toy_jobs(toy_job(0.1), toy_job(0.2, priority=3), toy_job(0.3, priority=2))
    toy = Toy(sites := toy_sites([1.0]), quiet_world(sites), jobs)
    assert [toy.asked, *(toy.act(DEFER) or toy.asked for _ in range(5))] == [0, 1, 2, 1, 2, 0]


def test_to_defer_is_right_where_a_higher_priority_waits_for_room():
    """Half of the site is free until 2 s; priority 3 needs all of it, and the queue shows that it waits."""
    rows = (
        toy_job(0.0, units=1.0, duration_s=2.0),
        toy_job(0.1, units=2.0, priority=3, slack_s=4.0),
        toy_job(0.5, units=1.0, duration_s=10.0, slack_s=1.0),
    )
    ends = {}
    for name, action in (("defers", DEFER), ("takes", 0)):
        toy = Toy(sites := toy_sites([2.0]), quiet_world(sites), toy_jobs(*rows))
        toy.act(0)
        assert toy.asked == 2
        assert toy.state.waiting[0] == 1
        toy.act(action)
        while toy.asked >= 0:
            toy.act(action if toy.asked == 2 else 0)
        ends[name] = toy.reward
    assert ends["defers"] > ends["takes"] + 50.0


def test_a_far_site_is_right_where_the_near_one_is_full():
    toy = Toy(sites := toy_sites([1.0, 1.0]), quiet_world(sites), toy_jobs(toy_job(0.1), toy_job(0.2)))
    toy.act(0)
    assert toy.valid == [1, 2]
    toy.act(1)
    assert toy.done() == [True, True]


@st.composite
def episodes(draw):
    count = draw(st.integers(1, 4))
    units = [float(draw(st.integers(1, 4))) for _ in range(count)]
    rows = [
        toy_job(
            draw(st.floats(0.0, 6.0)),
            units=float(draw(st.integers(1, 4))),
            duration_s=draw(st.floats(0.5, 8.0)),
            slack_s=draw(st.floats(0.0, 6.0)),
            priority=draw(st.integers(1, 3)),
            origin=draw(st.integers(0, count - 1)),
            payload_mb=draw(st.floats(0.0, 5.0)),
        )
        for _ in range(draw(st.integers(1, 12)))
    ]
    down = {0: (2, 5)} if draw(st.booleans()) else None
    return units, rows, down, draw(st.lists(st.integers(-1, count), min_size=1, max_size=20))


@settings(max_examples=150, deadline=None)
@given(episodes())
def test_whatever_is_done_nothing_is_lost_or_gained(episode):
    """Free is between 0 and all, every job ends, the reward is the sum of its terms, what is done was in time."""
    units, rows, down, actions = episode
    sites, jobs = toy_sites(units), toy_jobs(*rows)
    toy = Toy(sites, quiet_world(sites, down), jobs)
    for step in range(1000):
        if toy.asked < 0:
            break
        assert (toy.state.free >= 0.0).all()
        assert (toy.state.free <= sites.capacity).all()
        assert (toy.state.coming >= 0.0).all()
        before = toy.state.tally["now_ms"][0]
        toy.act(actions[step % len(actions)])
        assert toy.state.tally["now_ms"][0] >= before
    assert finished(toy)
    np.testing.assert_array_equal(toy.state.free, sites.capacity)
    assert not toy.state.coming.any()
    assert not toy.state.waiting.any()
    points = toy.state.tally["points"][0]
    if step == 0:
        return  # no job was asked about, and what nobody decided nobody is paid
    assert toy.reward == pytest.approx(points[POINTS_DONE] - points[1:TERMS].sum(), abs=1e-9)
    assert points[POINTS_DONE] == pytest.approx(100.0 * toy.completion())
    done = np.array(toy.done())
    progress = toy.state.progress[done]
    assert (progress["held_ms"] + progress["transfer_ms"] <= jobs["latest_ms"][done]).all()
