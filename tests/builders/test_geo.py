import numpy as np
from geopy.distance import great_circle
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from builders.geo import chord_km, distance_matrix_km, haversine_km, micro_degrees, sphere_km

latitudes, longitudes = st.floats(-90, 90), st.floats(-180, 180)


@settings(deadline=None)
@given(latitudes, longitudes, latitudes, longitudes)
def test_haversine_is_geopy_s_great_circle(lat1, lon1, lat2, lon2):
    assert_allclose(haversine_km(lat1, lon1, lat2, lon2), great_circle((lat1, lon1), (lat2, lon2)).km, atol=2e-3)


def test_haversine_broadcasts():
    assert haversine_km(np.zeros((3, 1)), 0.0, np.zeros(4), 1.0).shape == (3, 4)


def test_distance_matrix_is_symmetric_in_metres():
    lat, lon = np.array([47.3769, 46.2044, 46.948]), np.array([8.5417, 6.1432, 7.4474])
    matrix = distance_matrix_km(lat, lon)
    assert (matrix == matrix.T).all()
    assert (np.diag(matrix) == 0).all()
    assert matrix[0, 1] == round(great_circle((lat[0], lon[0]), (lat[1], lon[1])).km, 3)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.tuples(latitudes, longitudes), min_size=1, max_size=80))
def test_distance_matrix_is_the_haversine_formula_to_a_metre(places):
    lat, lon = np.array(places).T
    expected = haversine_km(lat[:, None], lon[:, None], lat, lon)
    assert_allclose(distance_matrix_km(lat, lon), expected, rtol=0, atol=1.5e-3)


@settings(deadline=None)
@given(latitudes, longitudes, latitudes, longitudes)
def test_a_chord_spans_its_arc(lat1, lon1, lat2, lon2):
    line = np.linalg.norm(sphere_km(lat1, lon1) - sphere_km(lat2, lon2))
    assert_allclose(line, chord_km(float(haversine_km(lat1, lon1, lat2, lon2))), atol=1e-3)


def test_micro_degrees_round_instead_of_cutting():
    assert micro_degrees([0.29, -0.29, 46.123457]).tolist() == [290000, -290000, 46123457]
