"""An empty data folder, the small folders, and the original ones where the machine has them."""

import os
from pathlib import Path

import pytest
from legacy_toy import topofreerl_tables, vamappo_tables


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty data folder."""
    monkeypatch.setenv("EDGEBENCH_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def vamappo():
    """Rows of a folder without defects."""
    return vamappo_tables()


@pytest.fixture
def topofreerl():
    """Rows of a folder without defects."""
    return topofreerl_tables()


@pytest.fixture
def originals():
    """The folder that holds the original data sets."""
    configured = os.environ.get("EDGEBENCH_TEST_DATA")
    if not configured or not (Path(configured) / "vamappo").is_dir():
        pytest.skip("EDGEBENCH_TEST_DATA names no folder with vamappo and topofreerl")
    return Path(configured)
