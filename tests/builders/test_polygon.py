import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.polygon import inside_ring
from edgebench.errors import EdgeBenchError

SQUARE = ((7.0, 46.0), (8.0, 46.0), (8.0, 47.0), (7.0, 47.0))
ARROW = ((0.0, 0.0), (4.0, 0.0), (4.0, 4.0), (2.0, 1.0), (0.0, 4.0))


def inside(ring, *points):
    lon, lat = np.array(points, np.float64).T
    return inside_ring(ring, lon, lat).tolist()


def test_a_square_holds_its_middle_and_nothing_around_it():
    assert inside(SQUARE, (7.5, 46.5), (6.9, 46.5), (8.1, 46.5), (7.5, 45.9), (7.5, 47.1)) == [True] + [False] * 4


def test_a_notch_is_outside():
    assert inside(ARROW, (0.5, 2.0), (2.0, 2.0), (3.5, 2.0), (2.0, 0.5)) == [True, False, True, True]


@given(st.integers(0, 4), st.booleans(), st.floats(-1, 5), st.floats(-1, 5))
def test_neither_the_first_corner_nor_the_direction_matters(turn, backwards, lon, lat):
    ring = ARROW[turn:] + ARROW[:turn]
    ring = ring[::-1] if backwards else ring
    on_line = any(abs(lon - x) < 1e-6 or abs(lat - y) < 1e-6 for x, y in ARROW)
    on_line |= min(abs(lat - 1 - 1.5 * abs(lon - 2)), 1) < 1e-6
    assert on_line or inside(ring, (lon, lat)) == inside(ARROW, (lon, lat))


def test_a_closed_ring_is_the_open_one():
    points = [(x / 3, y / 3) for x in range(-2, 15) for y in range(-2, 15)]
    assert inside((*ARROW, ARROW[0]), *points) == inside(ARROW, *points)


@given(st.floats(0, 4), st.floats(0, 4))
def test_a_triangle_holds_what_lies_under_its_slope(lon, lat):
    triangle = ((0.0, 0.0), (4.0, 0.0), (0.0, 4.0))
    if abs(lon + lat - 4) > 1e-9 and lon > 0 and lat > 0:
        assert inside(triangle, (lon, lat)) == [lon + lat < 4]


@pytest.mark.parametrize("ring", [(), SQUARE[:2], (SQUARE[0], SQUARE[1], SQUARE[0])])
def test_a_ring_of_fewer_than_three_corners_is_refused(ring):
    with pytest.raises(EdgeBenchError, match="encloses nothing"):
        inside(ring, (7.5, 46.5))
