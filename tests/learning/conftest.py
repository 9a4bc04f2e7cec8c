"""Every test here finds the standard regions built."""

import pytest


@pytest.fixture(autouse=True)
def standard_regions(built_home):
    """In this process and in those it starts."""
    return built_home
