"""Routes have the statistics that were measured, splits share none, and a user's own log is read."""

import numpy as np
import pytest

from edgebench.errors import EdgeBenchError
from edgebench.harness.rollout import roll
from edgebench.registry import SCENARIOS
from edgebench.tracks.place.constants import EXPERTS, LAYERS, PROFILE_REQUESTS, REQUEST_ROWS, SLOTS
from edgebench.tracks.place.env import PlaceEnv
from edgebench.tracks.place.simulation import Simulation
from edgebench.tracks.place.tokens import DOMAINS, draw_model, draw_routes
from edgebench.tracks.place.trace_file import cut_log, read_log
from reference_agents.place import hierarchical_eplb

MEASURED_EXPERTS, MEASURED_LAYERS, MEASURED_TOKENS = 64, 12, 2048
MEASURED_AFFINITY = 0.1
"""Share of tokens that go on to the favoured expert of 64. Of 2,048 tokens few share a pair of experts, so that much of
the bit that was measured is of the sample; it is measured here as it was there."""


def entropy_bits(counts):
    shares = counts[counts > 0] / counts.sum()
    return -(shares * np.log2(shares)).sum()


def information_bits(routes, experts, layer):
    """Entropy of a layer less that of the layer given the one before."""
    pairs = np.bincount(routes[:, layer].astype(int) * experts + routes[:, layer + 1], minlength=experts**2)
    table = pairs.reshape(experts, experts)
    return entropy_bits(table.sum(axis=0)) + entropy_bits(table.sum(axis=1)) - entropy_bits(pairs)


def log_of(seed, tokens, **shape):
    model = draw_model(seed, 1, **shape)
    routes = np.zeros((tokens, model.follower.shape[0]), np.int16)
    for domain in range(DOMAINS):
        part = slice(domain * tokens // DOMAINS, (domain + 1) * tokens // DOMAINS)
        draw_routes(model, seed, 0, domain, part.start, routes[part])
    return routes


@pytest.mark.parametrize("seed", range(4))
def test_a_log_of_64_experts_is_as_skewed_as_the_measured_one(seed):
    routes = log_of(seed, MEASURED_TOKENS, experts=MEASURED_EXPERTS, layers=MEASURED_LAYERS, affinity=MEASURED_AFFINITY)
    loads = [np.bincount(routes[:, layer], minlength=MEASURED_EXPERTS) for layer in range(MEASURED_LAYERS)]
    for load in loads:
        assert 5.0 <= load.max() / load.mean() <= 13.0
        assert 4.5 <= entropy_bits(load) <= 5.1
    information = [information_bits(routes, MEASURED_EXPERTS, layer) for layer in range(MEASURED_LAYERS - 1)]
    assert 0.8 <= np.mean(information) <= 1.2


@pytest.mark.parametrize("window", range(4))
def test_tokens_of_an_episode_have_a_bit_of_affinity_and_popular_experts(regions, window):
    simulation = Simulation(regions["s1"], SCENARIOS["trap"], "test")
    simulation.start(window, 3)
    routes = simulation.history.routes
    load = np.stack([np.bincount(routes[:, layer], minlength=EXPERTS) for layer in range(LAYERS)])
    assert (load.max(axis=1) / load.mean(axis=1) > 2.0).all()
    assert 0.8 <= np.mean([information_bits(routes, EXPERTS, layer) for layer in range(LAYERS - 1)]) <= 1.3


def test_popularity_walks_and_stays_a_popularity():
    share = draw_model(5, SLOTS).share
    np.testing.assert_allclose(share.sum(axis=-1), 1.0)
    assert (share >= 0.0).all()
    moved = np.abs(share[-1] - share[0]).sum(axis=-1)
    assert (moved > 0.1).all()
    steps = np.abs(np.diff(share, axis=0)).max()
    assert steps < 0.05


def test_sites_prefer_experts_of_their_own(regions):
    """Requests that arise far apart differ more in their first experts than those of one place."""
    simulation = Simulation(regions["s3"], SCENARIOS["trap"], "train")
    first = {0: np.zeros(EXPERTS), 1: np.zeros(EXPERTS)}
    halves = np.zeros((2, EXPERTS))
    east = regions["s3"].topology().node["east"]
    for seed in range(6):
        simulation.start(0, seed)
        origins, routes = simulation.world.origin, simulation.world.routes
        for slot in range(SLOTS):
            for request, node in enumerate(origins[slot]):
                picked = np.bincount(routes[slot, request * 32 : request * 32 + 32, 0], minlength=EXPERTS)
                first[int(east[node] > 0.5)] += picked
                halves[slot % 2] += picked
    far, near = (np.abs(a / a.sum() - b / b.sum()).sum() for a, b in ((first[0], first[1]), halves))
    assert far > 2.0 * near


def test_splits_windows_and_seeds_share_no_tokens(regions):
    drawn = {}
    for split in ("train", "val", "test"):
        simulation = Simulation(regions["s4"], SCENARIOS["trap"], split)
        for window, seed in ((0, 0), (1, 0), (0, 1)):
            simulation.start(window, seed)
            drawn[split, window, seed] = simulation.world.routes.tobytes()
            assert (simulation.history.routes[: 8 * REQUEST_ROWS] != simulation.world.routes[0]).any()
    assert len(set(drawn.values())) == len(drawn)


@pytest.mark.parametrize("scenario", ["burst", "drift"])
def test_crowds_and_drift_move_where_requests_arise(regions, scenario):
    east, places = regions["s1"].topology().node["east"], {}
    for name in ("trap", scenario):
        simulation = Simulation(regions["s1"], SCENARIOS[name], "train")
        origins = []
        for seed in range(10):
            simulation.start(0, seed)
            origins.append(simulation.world.origin)
        places[name] = np.array(origins)
    assert (places["trap"] != places[scenario]).any()
    if scenario == "drift":
        assert east[places["drift"][:, -16:]].mean() > east[places["drift"][:, :16]].mean() + 0.2


@pytest.fixture
def trace(tmp_path):
    routes = log_of(9, 3000, experts=24, layers=6)
    routes[0, 0] = 23
    path = tmp_path / "trace.npy"
    np.save(path, routes.astype(np.int64))
    return path, routes


def test_a_users_own_trace_is_played(regions, trace):
    path, routes = trace
    env = PlaceEnv(regions["s1"], trace=path)
    observed, info = env.reset(options={"window": 0, "seed": 2})
    assert env.observation_space.contains(observed)
    assert observed["affinity"].shape == (5, 24, 24)
    assert env.action_space.nvec.tolist() == [24 * 6, 3, 8]
    known = {row.tobytes() for row in routes[:1500]}
    assert info["history_routes"].shape == (PROFILE_REQUESTS * REQUEST_ROWS, 6)
    assert all(row.tobytes() in known for row in info["history_routes"])
    served, unseen = env._simulation.world.routes.reshape(-1, 6), {row.tobytes() for row in routes[1500:]}
    assert all(row.tobytes() in unseen for row in served)
    over = False
    while not over:
        *_, over, _ = env.step(np.array([0, 1, observed["placement"][0].argmax()]))
    assert env.summary()["relative_speed"] == pytest.approx(1.0)


@pytest.mark.parametrize(("experts", "layers"), [(16, 1), (8, 2), (64, 12)])
def test_traces_of_other_shapes_are_played_by_heuristics_too(regions, tmp_path, experts, layers):
    routes = np.random.default_rng(1).integers(0, experts, (2048, layers))
    routes[0, 0] = experts - 1
    np.save(tmp_path / "trace.npy", routes)
    env = PlaceEnv(regions["s4"], trace=tmp_path / "trace.npy")
    assert env.observation_space.contains(env.reset(seed=0)[0])
    summary = next(iter(roll(env, hierarchical_eplb.Agent(), [(0, 0)])))
    assert summary["relative_speed"] > 0.99


def test_experts_that_fit_nowhere_are_refused(regions, tmp_path):
    np.save(tmp_path / "trace.npy", np.zeros((2048, 2), int))
    with pytest.raises(EdgeBenchError, match="2 experts of 45 GB do not fit"):
        PlaceEnv(regions["s4"], trace=tmp_path / "trace.npy")


def test_a_log_is_cut_into_halves_that_run_on():
    log = np.arange(2000, dtype=np.int16).reshape(-1, 2) % 1000
    served, past = cut_log(log, 12345)
    assert served.shape == (SLOTS, 256, 2)
    assert set(past[:, 0].tolist()) <= set(log[:500, 0].tolist())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (np.zeros((600, 4)), "array of float64"),
        (np.zeros(600, int), "1 dimensions"),
        (np.zeros((511, 4), int), "511 tokens"),
        (np.full((600, 4), -1), "expert -1"),
        (np.full((600, 4), 1024), "expert 1024"),
        (np.full((600, 5), 1000), "5005 experts"),
        (np.array([{"a": 1}] * 600), "unreadable"),
        (b"no array", "unreadable"),
    ],
    ids=["floats", "one axis", "short", "negative", "large", "many", "objects", "no array"],
)
def test_a_wrong_trace_is_refused_with_the_reason(tmp_path, content, message):
    path = tmp_path / "trace.npy"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        np.save(path, content, allow_pickle=True)
    with pytest.raises(EdgeBenchError, match=message):
        read_log(path)


def test_a_missing_trace_and_an_archive_are_refused(tmp_path):
    with pytest.raises(EdgeBenchError, match="unreadable"):
        read_log(tmp_path / "none.npy")
    np.savez(tmp_path / "several.npz", a=np.zeros(3))
    with pytest.raises(EdgeBenchError, match="several arrays"):
        read_log(tmp_path / "several.npz")
