"""What travels in sdist and wheel, and that the wheel is used as it is, away from the checkout."""

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import edgebench
from edgebench.registry import REGISTERED

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGES = ("edgebench", "builders", "reference_agents")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """What packages are built of, with things beside it that must not travel."""
    copy = tmp_path_factory.mktemp("checkout")
    for name in (*PACKAGES, "LICENSES"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("trained"))
    for name in ("pyproject.toml", "README.md", "LICENSE", "NOTICE", ".gitignore"):
        shutil.copy(ROOT / name, copy)
    for stray in (
        "reference_agents/trained/ppo/model.safetensors",
        "runs/demo/manifest.json",
        "processed/sample/s1.json",
    ):
        (copy / stray).parent.mkdir(parents=True, exist_ok=True)
        (copy / stray).write_text("stray", encoding="utf-8")
    return copy


@pytest.fixture(scope="module")
def packages(checkout, tmp_path_factory):
    """Paths of sdist and wheel, which is made of the sdist; built without a network, or skipped."""
    pytest.importorskip("hatchling", reason="the build backend is not installed")
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(checkout)]
    subprocess.run(command, check=True, capture_output=True)
    return next(out.glob("*.tar.gz")), next(out.glob("*.whl"))


@pytest.fixture(scope="module")
def wheel(packages, tmp_path_factory):
    """The wheel, unpacked as pip would."""
    site = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(packages[1]) as files:
        files.extractall(site)
    return site


def files_of(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_the_wheel_holds_every_file_of_the_packages_and_nothing_else(wheel):
    def wanted(name):
        return not re.search(r"__pycache__|/trained/", name)

    own = {f"{package}/{name}" for package in PACKAGES for name in files_of(ROOT / package)}
    held = {name for name in files_of(wheel) if not name.startswith(f"edgebench-{edgebench.__version__}.dist-info/")}
    assert held == set(filter(wanted, own))
    assert {
        "edgebench/py.typed",
        "edgebench/harness/references.json",
        "reference_agents/route/tuned_weights.json",
    } <= held
    assert {f"edgebench/regions/{region}.toml" for region in REGISTERED} <= held


def test_the_sdist_leaves_data_runs_and_weights_behind(packages):
    with tarfile.open(packages[0]) as archive:
        names = [name.partition("/")[2] for name in archive.getnames()]
    assert "edgebench/py.typed" in names
    assert not [name for name in names if re.match(r"(runs|processed|leaderboards|reference_agents/trained)/", name)]


def test_the_metadata_tell_version_licences_types_and_the_command(wheel):
    (distribution,) = importlib.metadata.distributions(path=[str(wheel)])
    assert distribution.version == edgebench.__version__
    assert distribution.metadata["License-Expression"] == "Apache-2.0 AND CC0-1.0"
    licences = ["LICENSE", "LICENSES/Apache-2.0.txt", "LICENSES/CC0-1.0.txt", "NOTICE"]
    assert distribution.metadata.get_all("License-File") == licences
    for name in licences:
        assert distribution.read_text(f"licenses/{name}") == (ROOT / name).read_text(encoding="utf-8")
    assert "Typing :: Typed" in distribution.metadata.get_all("Classifier")
    (command,) = distribution.entry_points.select(group="console_scripts")
    assert (command.name, command.value) == ("edgebench", "edgebench.cli:main")


def test_the_wheel_is_used_away_from_the_checkout(wheel, tmp_path):
    """Region built, loaded and played in a fresh environment: .ci/smoke.py."""
    code = (
        "import sys, edgebench, builders, reference_agents, edgebench.paths;"
        "assert all(module.__file__.startswith(sys.argv[1]) for module in (edgebench, builders, reference_agents));"
        "print(edgebench.paths.home())"
    )
    environment = os.environ | {"PYTHONPATH": str(wheel), "EDGEBENCH_HOME": str(tmp_path / "home")}
    answer = subprocess.run(
        [sys.executable, "-c", code, str(wheel)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.strip() == str((tmp_path / "home").resolve())
    assert list(tmp_path.iterdir()) == []


def test_import_of_the_package_is_light_and_silent():
    heavy = {
        "click",
        "gymnasium",
        "numba",
        "numpy",
        "pandas",
        "polars",
        "pyarrow",
        "requests",
        "rich",
        "scipy",
        "torch",
    }
    code = f"import sys, edgebench; print({heavy} & set(sys.modules))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout == "set()\n"
    assert answer.stderr == ""
