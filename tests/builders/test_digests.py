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
    "s1": "09e11752bb83bb0ea5fe0ae2830448743c2666c8011dd0e1f92104e2a4bd9f70",
    "s2": "aa1a0bc551bb3f2a6c0af189974842a7f847984b3a68391d317d15d3ed62ac66",
    "s3": "1ae73affdb8c542f70e5bf58a0a3044cbc1877987dcbe7bf33820309c6d0640e",
    "s4": "2086a3d545c894515d9997905e31d3999117a049e916612e1b6142d7dcc5e8c2",
    "trap500": "5c91821299a52338e603bb4d1c75aa44fb8483f7b8853b6500b5d40b76bd1552",
}


def test_every_standard_region_is_pinned_and_a_trap_scale() -> None:
    assert set(PINNED) == {*REGIONS, "trap500"}


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
