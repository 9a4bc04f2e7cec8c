"""The counter-based random numbers: frozen, like their description, uniform and independent."""

import re
import subprocess
import sys
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import splitmix
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from edgebench.sim import counter

COUNTERS = st.integers(0, 2**63 - 1)
SEED = 20240607
P_LEAST = 1e-3
"""The counters are fixed, so a test passes for ever or never; a sound hash fails one of these once in a thousand."""


PAGE = (Path(__file__).parents[2] / "docs" / "randomness.md").read_text(encoding="utf-8")
VECTORS = {
    (0, 0, 0, 0): 0x2130748AAAC80268,
    (0, 0, 0, 1): 0x2A4F111B3BE57715,
    (1, 1, 0, 0): 0xC965D6348C188782,
    (1, 2, 3, 4): 0xD55CCD4AEB3CCAFB,
    (2**63 - 1, 3, 2**31, 2**62): 0xA2074DE3626D5D69,
}


@pytest.mark.parametrize(("key", "expected"), VECTORS.items())
def test_bits_are_frozen(key, expected):
    assert int(counter.bits(*key)) == expected


def test_uniforms_are_frozen():
    assert counter.uniform(1, 2, 3, 4) == 0.8334472949893438
    assert counter.uniforms(7, 1, 3).tolist() == [0.19743751642449092, 0.10521667938677504, 0.27677536989419205]


def test_the_mixer_is_the_published_one():
    first_three_of_splitmix64_seeded_0 = (0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F)
    states = (splitmix.GOLDEN * number & splitmix.MASK for number in (1, 2, 3))
    assert tuple(splitmix.mix(state) for state in states) == first_three_of_splitmix64_seeded_0


def test_streams_are_frozen_and_differ():
    assert {stream.name: stream.number for stream in counter.STREAMS} == {
        "TRAP_START": 1,
        "TRAP_CHANGE": 2,
        "TRAP_EXTRA": 3,
        "EPISODE_WINDOW": 4,
        "EPISODE_SEED": 5,
        "CROWD_START": 31,
        "CROWD_PLACE": 38,
        "OUTAGE_START": 32,
        "OUTAGE_CHANGE": 33,
        "DRIFT_PHASE": 34,
        "DRIFT_PLACE": 35,
        "JITTER_CHANCE": 36,
        "JITTER_EXTRA": 37,
    }
    assert len({stream.number for stream in counter.STREAMS}) == len(counter.STREAMS)


def test_the_table_holds_every_stream_of_the_module():
    constants = {name: value for name, value in vars(counter).items() if name.isupper() and isinstance(value, int)}
    assert {stream.name: stream.number for stream in counter.STREAMS} == constants


def test_the_page_tells_the_streams_the_vectors_and_the_hash():
    for number, name, entity, slot, meaning in counter.STREAMS:
        assert f"| {number} | `{name}` | {entity} | {slot} | {meaning} |\n" in PAGE
    assert len(re.findall(r"^\| \d+ \| `[A-Z_]+` \|", PAGE, re.MULTILINE)) == len(counter.STREAMS)
    frozen = re.findall(r"^\| (\d+) \| (\d+) \| (\d+) \| (\d+) \| `(0x[0-9A-F]{16})` \|$", PAGE, re.MULTILINE)
    assert {tuple(map(int, key)): int(told, 16) for *key, told in frozen} == VECTORS
    (code,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    code += f"for key in {list(VECTORS)}:\n    print(bits(*key), uniform(*key))"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    expected = [f"{vector} {counter.uniform(*key)}" for key, vector in VECTORS.items()]
    assert printed.splitlines() == expected


def test_the_page_tells_where_else_the_hash_is_used():
    """Every file outside the simulator that imports it, or takes its streams from one that does."""
    root = Path(__file__).parents[2]
    packages = (root / name for name in ("edgebench", "reference_agents", "builders"))
    files = {
        path.relative_to(root).as_posix(): path.read_text("utf-8")
        for folder in packages
        for path in folder.rglob("*.py")
    }
    users = {name for name, text in files.items() if re.search(r"sim\.counter import|sim import counter", text)}
    through_streams = {name for name, text in files.items() if "builders.streams import" in text}
    inside = {name for name in users if name.startswith(("edgebench/sim/", "edgebench/tracks/"))}
    told = set(re.findall(r"^\| `([a-z_/]+\.py)` \|", PAGE, re.MULTILINE))
    assert told == users - inside - through_streams


@given(COUNTERS, COUNTERS, COUNTERS, COUNTERS)
@settings(max_examples=300, deadline=None)
def test_bits_are_splitmix64_of_the_counter(seed, stream, entity, slot):
    assert int(counter.bits(seed, stream, entity, slot)) == splitmix.bits(seed, stream, entity, slot)
    assert counter.uniform(seed, stream, entity, slot) == splitmix.uniform(seed, stream, entity, slot)


@given(COUNTERS, COUNTERS, st.integers(0, 20))
@settings(max_examples=50, deadline=None)
def test_uniforms_are_the_draws_of_their_entities(seed, stream, count):
    draws = counter.uniforms(seed, stream, count)
    assert draws.tolist() == [counter.uniform(seed, stream, entity, 0) for entity in range(count)]


def draws(vary, count=20_000, step=1):
    """Uniforms of counters that differ in one place alone: 0 seed, 1 stream, 2 entity, 3 slot."""
    key = [SEED, 1, 2, 3]
    values = np.empty(count)
    for number in range(count):
        key[vary] = number * step
        values[number] = counter.uniform(*key)
    return values


PLACES = pytest.mark.parametrize("vary", range(4), ids=("seed", "stream", "entity", "slot"))


@PLACES
@pytest.mark.parametrize("step", [1, 2**32], ids=("low bits", "high bits"))
def test_draws_are_uniform(vary, step):
    values = draws(vary, step=step)
    assert ((values >= 0.0) & (values < 1.0)).all()
    assert stats.kstest(values, "uniform").pvalue > P_LEAST
    low_bits = (values * 2**53).astype(np.int64) % 256
    assert stats.chisquare(np.bincount(low_bits, minlength=256)).pvalue > P_LEAST


@PLACES
def test_neighbouring_counters_are_independent(vary):
    values = draws(vary)
    assert stats.spearmanr(values[:-1], values[1:]).pvalue > P_LEAST
    cells = np.histogram2d(values[:-1:2], values[1::2], bins=10)[0]
    assert stats.chisquare(cells.ravel()).pvalue > P_LEAST


@pytest.mark.parametrize(("one", "other"), [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)])
def test_places_of_the_counter_are_not_confused(one, other):
    assert stats.spearmanr(draws(one, 5000), draws(other, 5000)).pvalue > P_LEAST
    here, there = [5, 5, 5, 5], [5, 5, 5, 5]
    here[one] = there[other] = 6
    assert counter.bits(*here) != counter.bits(*there)


def test_one_flipped_bit_changes_half_of_them():
    flipped = [
        (splitmix.bits(SEED, 1, 2, slot) ^ splitmix.bits(SEED, 1, 2, slot ^ (1 << bit))).bit_count()
        for slot in range(20)
        for bit in range(63)
    ]
    assert np.mean(flipped) == pytest.approx(32.0, abs=5 * 4.0 / np.sqrt(len(flipped)))


def test_streams_of_the_table_are_uncorrelated():
    """Of each two, the draws of the same entities and slots."""
    values = {
        stream.number: [
            counter.uniform(SEED, stream.number, entity, slot) for entity in range(50) for slot in range(40)
        ]
        for stream in counter.STREAMS
    }
    least = min(stats.spearmanr(values[one], values[other]).pvalue for one, other in combinations(values, 2))
    assert least > P_LEAST / 66
