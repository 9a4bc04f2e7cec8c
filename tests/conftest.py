"""The standard regions, built once a session from the bundled sample into a data folder of their own."""

import os

import pytest

# Tests run side by side; threads that wait for a core another test has take many times as long.
os.environ["OMP_NUM_THREADS"] = "1"


@pytest.fixture(scope="session")
def regions_home(tmp_path_factory):
    """A data folder in which every standard region of the sample edition is built; tests must not write into it."""
    from builders.pipeline import build_region
    from edgebench.registry import REGIONS

    folder = tmp_path_factory.mktemp("regions")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGEBENCH_HOME", str(folder))
        for spec in REGIONS.values():
            build_region(spec)
    return folder


@pytest.fixture(scope="session")
def regions(regions_home):
    """Every standard region by name, loaded."""
    from edgebench.region import read_region
    from edgebench.registry import REGIONS

    return {name: read_region(regions_home / "processed" / "sample" / name) for name in REGIONS}


@pytest.fixture
def built_home(regions_home, monkeypatch):
    """Use the data folder with the standard regions, in this process and in those it starts."""
    monkeypatch.setenv("EDGEBENCH_HOME", str(regions_home))
    return regions_home


@pytest.fixture(scope="session")
def variants_home(regions_home, tmp_path_factory):
    """A data folder with the standard regions, their companions of graphs and trap500; tests must not write into it."""
    from builders.pipeline import build_region
    from edgebench.registry import REGIONS, REGISTERED

    folder = tmp_path_factory.mktemp("variants")
    built = folder / "processed" / "sample"
    built.mkdir(parents=True)
    for region in (regions_home / "processed" / "sample").iterdir():
        (built / region.name).symlink_to(region)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGEBENCH_HOME", str(folder))
        for name in (*(f"{name}-dag" for name in REGIONS), "trap500"):
            build_region(REGISTERED[name])
    return folder


@pytest.fixture
def variants_there(variants_home, monkeypatch):
    """Use the data folder with the variants, in this process and in those it starts."""
    monkeypatch.setenv("EDGEBENCH_HOME", str(variants_home))


_LONGEST = ("test_gate", "test_ray", "test_tutorials", "test_train", "test_reproduce", "test_refused_writes")


def pytest_collection_modifyitems(items):
    """The files that take longest begin first, so that no worker is left with one at the end."""
    items.sort(key=lambda item: item.path.stem not in _LONGEST)
