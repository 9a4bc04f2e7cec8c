"""The sample edition is the same on every machine: each region's content digest is pinned."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from builders.pipeline import build_region
from edgebench.registry import REGIONS, REGISTERED
from edgebench.schema import table_digest

PINNED = {
    "s1": "f66e9292a2b1c101b44c9efa0a3ffc609e6187f7e7ef4a0fd24a53a760c7401d",
    "s2": "548d26309f1798b3a823345729f3fe910c265b51f67b0ccb236db013a19126d9",
    "s3": "c5e3667ddc28ac909a8198d49bafc64bf695397d8e7c40fb0dcbda10544370dc",
    "s4": "1c2f0d9b1ce163d47cfa99ac0d366baaa03e797c8c734b4af37df3cd407fae58",
    "s1-dag": "12e92e1decc021d282d09d3e565b086fe49de68eeb672267cb329b1db526bfa3",
    "trap500": "6305bb348353384804afab27ea8f84d72f7e017487ad86134b288c59894e3690",
}


def test_every_standard_region_is_pinned_a_companion_and_a_trap_scale() -> None:
    assert set(PINNED) == {*REGIONS, "s1-dag", "trap500"}


@pytest.mark.parametrize("name", sorted(PINNED))
def test_the_sample_edition_has_its_pinned_digest(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from edgebench import load

    monkeypatch.setenv("EDGEBENCH_HOME", str(tmp_path))
    build_region(REGISTERED[name])
    region = load(name)
    assert region.digest == PINNED[name]
    assert {table: table_digest(region.tables[table]) for table in region.tables} == {
        table: entry["digest"] for table, entry in region.manifest["tables"].items()
    }


OTHER_PYTHONS = [path for path in os.environ.get("EDGEBENCH_OTHER_PYTHONS", "").split(os.pathsep) if path]


@pytest.mark.skipif(
    not OTHER_PYTHONS, reason="EDGEBENCH_OTHER_PYTHONS names no other interpreter with the dependencies"
)
@pytest.mark.parametrize("python", OTHER_PYTHONS)
def test_another_python_builds_the_same_regions(python: str, tmp_path: Path) -> None:
    program = "import edgebench; from edgebench.cli import main; main()"
    environment = {**os.environ, "EDGEBENCH_HOME": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[2])}
    subprocess.run(
        [python, "-c", program, "build", "--region", ",".join(PINNED)], env=environment, check=True, capture_output=True
    )
    for name, digest in PINNED.items():
        manifest = tmp_path / "processed" / "sample" / name / "manifest.json"
        assert json.loads(manifest.read_text(encoding="utf-8"))["digest"] == digest
