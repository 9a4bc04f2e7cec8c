"""Every test here finds the standard regions built, and has one core to itself."""

import pytest
import torch


@pytest.fixture(autouse=True)
def standard_regions(built_home):
    """In this process and in those it starts."""
    return built_home


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Tests run side by side; threads that wait for a core another test has take many times as long."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
