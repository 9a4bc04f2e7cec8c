from __future__ import annotations

import dataclasses
import gzip
import json
import os
from pathlib import Path

import networkx as nx
import polars as pl
import pyarrow.parquet as pq
import pytest

from builders import pipeline
from builders.manifest import dump_date
from builders.pipeline import STEPS, build_region
from builders.proofs import prove_structure
from builders.sample import sample_path
from edgebench.constants import MODEL_TYPES, MODELS, SPLIT_TASKS
from edgebench.errors import EdgeBenchError
from edgebench.region import Region, read_region
from edgebench.registry import region_spec
from edgebench.schema import TABLES
from edgebench.spec import RegionSpec

CELLS = Path(os.environ.get("EDGEBENCH_TEST_DATA", "")) / "cells"
REAL = {
    "s1": "228_mls_202403.csv.gz",
    "s2": "234_ocid_20260131_headerless.csv.gz",
    "s3": "262_mls_202403.csv.gz",
    "s4": "222_mls_202301.csv.gz",
}
BASE = ("s1", "s2", "s3", "s4")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Region]:
    """The four regions of the sample edition."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGEBENCH_HOME", str(tmp_path_factory.mktemp("home")))
        return {name: read_region(build_region(region_spec(name))) for name in BASE}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EDGEBENCH_HOME", str(tmp_path))
    return tmp_path


def check_figures(region: Region, spec: RegionSpec) -> None:
    nodes, links, graph = region.nodes, region.links, region.graph()
    assert len(nodes) == spec.nodes
    for name, target in (("compute", spec.compute), ("storage_gb", spec.storage_gb)):
        assert (nodes[name].min(), nodes[name].max()) == (target.min, target.max)
        assert nodes[name].mean() == pytest.approx(target.mean, rel=0.01)
    assert 2 * len(links) / len(nodes) == pytest.approx(spec.mean_degree, rel=0.01)
    assert nx.is_connected(graph)
    assert nx.number_of_selfloops(graph) == 0
    assert graph.number_of_edges() == len(links)
    assert region.instances["model_type"].value_counts().to_dict() == dict(zip(MODEL_TYPES, MODELS, strict=True))
    assert {split: len(region.tasks(split)) for split in SPLIT_TASKS} == dict(SPLIT_TASKS)
    assert region.manifest["statistics"]["feasibility"]["resident"]["max"] <= 1.0


@pytest.mark.parametrize("name", BASE)
def test_the_sample_gives_the_figures_of_the_region(built: dict[str, Region], name: str) -> None:
    check_figures(built[name], region_spec(name))


@pytest.mark.parametrize("name", BASE)
def test_real_cells_give_the_figures_of_the_region(home: Path, name: str) -> None:
    file = CELLS / REAL[name]
    if not file.is_file():
        pytest.skip("EDGEBENCH_TEST_DATA does not name a folder with cells/" + REAL[name])
    region = read_region(build_region(region_spec(name), cells=file, edition="real"))
    check_figures(region, region_spec(name))
    assert region.licence.startswith("CC-BY-SA-4.0. OpenCelliD Project")
    assert region.manifest["source"]["file"] == REAL[name]


def test_the_manifest_tells_where_the_region_comes_from(built: dict[str, Region]) -> None:
    manifest = built["s1"].manifest
    source = manifest["source"]
    assert manifest["edition"] == "sample"
    assert manifest["licence"] == "CC0-1.0"
    assert manifest["attribution"] == "EdgeBench sample cells, generated"
    assert manifest["spec"] == json.loads(json.dumps(dataclasses.asdict(region_spec("s1"))))
    assert source["file"] == sample_path("s1").name
    assert len(source["sha256"]) == 64
    assert source["rows"] == sum(drop["rows"] for drop in manifest["dropped"]) + manifest["dropped"][-1]["left"]
    assert manifest["statistics"]["rate_per_s"] > 0
    assert {name: table["rows"] for name, table in manifest["tables"].items()} == {
        name: table.num_rows for name, table in built["s1"].tables.items()
    }


def test_the_files_carry_units_and_meanings(built: dict[str, Region]) -> None:
    for name, schema in TABLES.items():
        written = pq.read_schema(built["s1"].path / f"{name}.parquet")
        for field, expected in zip(written, schema, strict=True):
            assert (field.name, field.type, field.nullable) == (expected.name, expected.type, expected.nullable)
            assert expected.metadata.items() <= field.metadata.items()


def test_the_folder_holds_the_region_and_nothing_else(built: dict[str, Region]) -> None:
    assert sorted(path.name for path in built["s1"].path.iterdir()) == [
        "README.md",
        "croissant.json",
        "instances.parquet",
        "links.parquet",
        "manifest.json",
        "nodes.parquet",
        "tasks.parquet",
    ]


def test_no_two_regions_share_words(built: dict[str, Region]) -> None:
    words = {
        name: {
            (tuple(row["stage_types"]), tuple(row["stage_tokens"]))
            for row in region.tables["tasks"].select(["stage_types", "stage_tokens"]).to_pylist()
        }
        for name, region in built.items()
    }
    pairs = [(one, other) for one in BASE for other in BASE if one < other]
    assert not any(words[one] & words[other] for one, other in pairs)


def test_all_regions_share_the_catalogue(built: dict[str, Region]) -> None:
    catalogue = [region.instances[["model_id", "quality", "work", "memory_gb"]] for region in built.values()]
    assert all(catalogue[0].equals(other) for other in catalogue[1:])


def test_building_twice_gives_the_same_region(home: Path, built: dict[str, Region]) -> None:
    again = read_region(build_region(region_spec("s4")))
    assert again.manifest == built["s4"].manifest


def test_another_seed_gives_another_region(home: Path, built: dict[str, Region]) -> None:
    other = read_region(build_region(region_spec("s4"), seed=1))
    digests = [region.manifest["tables"] for region in (other, built["s4"])]
    assert all(digests[0][name]["digest"] != digests[1][name]["digest"] for name in TABLES)


def sample_lines(name: str) -> tuple[str, list[str]]:
    raw = sample_path(name).read_bytes()
    text = gzip.decompress(raw) if raw.startswith(b"\x1f\x8b") else raw
    header, *rows = text.decode().splitlines()
    assert header.startswith("radio")
    return header, rows


def digest_of(home: Path, lines: list[str], **options: object) -> str:
    cells = home / "cells.csv"
    cells.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return read_region(build_region(region_spec("s4"), cells=cells, edition="own", **options)).digest


def test_the_order_of_raw_rows_has_no_effect(home: Path, built: dict[str, Region]) -> None:
    header, rows = sample_lines("s4")
    assert digest_of(home, [header, *rows[::-1]]) == built["s4"].digest


def test_cells_elsewhere_change_nothing(home: Path, built: dict[str, Region]) -> None:
    header, rows = sample_lines("s4")
    columns = header.split(",")
    far = [row.split(",") for row in rows[:50]]
    for row in far:
        row[columns.index("lon")], row[columns.index("lat")] = "15.2", "40.1"
    foreign = [row.split(",") for row in rows[50:100]]
    for row in foreign:
        row[columns.index("mcc")] = "208"
    extra = [",".join(row) for row in (*far, *foreign)]
    assert digest_of(home, [header, *extra, *rows]) == built["s4"].digest


def test_progress_is_told_step_by_step(home: Path) -> None:
    told: list[tuple[str, int, int]] = []
    build_region(region_spec("s4"), on_step=lambda *step: told.append(step))
    assert told == [(name, index, len(STEPS)) for index, name in enumerate(STEPS)]


def break_the_third_table(monkeypatch: pytest.MonkeyPatch) -> None:
    write, written = pq.write_table, []

    def failing(table: object, where: Path) -> None:
        if len(written) == 2:
            raise KeyboardInterrupt
        written.append(where)
        write(table, where)

    monkeypatch.setattr(pipeline.pq, "write_table", failing)


def test_a_kill_in_the_middle_leaves_nothing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    break_the_third_table(monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        build_region(region_spec("s4"))
    assert not [path for path in home.rglob("*") if path.is_file()]


def test_a_kill_in_the_middle_leaves_the_region_before(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = read_region(build_region(region_spec("s4"))).digest
    break_the_third_table(monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        build_region(region_spec("s4"), seed=1)
    assert read_region(home / "processed" / "sample" / "s4").digest == before
    assert [path.name for path in (home / "processed" / "sample").iterdir()] == ["s4"]


def test_too_few_sites_are_refused_and_nothing_is_written(home: Path) -> None:
    header, rows = sample_lines("s4")
    with pytest.raises(EdgeBenchError, match="too few for 31 nodes"):
        digest_of(home, [header, *rows[:20]])
    assert not (home / "processed").exists()


@pytest.mark.parametrize("edition", ["", "OCID", "a/b", "..", "-a", "a.b", "con", "com1", "ä", "a\n"])
def test_editions_that_cannot_name_a_folder_everywhere_are_refused(home: Path, edition: str) -> None:
    with pytest.raises(EdgeBenchError, match="cannot name an edition"):
        build_region(region_spec("s4"), cells=sample_path("s4"), edition=edition)


def test_own_cells_cannot_pass_for_the_sample(home: Path) -> None:
    with pytest.raises(EdgeBenchError, match="need a name of their own"):
        build_region(region_spec("s4"), cells=sample_path("s4"))


def test_bundled_cells_keep_their_licence_in_an_edition_of_one_s_own(home: Path) -> None:
    bundled = read_region(build_region(region_spec("s4"), cells=sample_path("s4"), edition="own"))
    assert bundled.licence == "CC0-1.0. EdgeBench sample cells, generated"
    assert "The cells behind this edition are generated" in (bundled.path / "README.md").read_text(encoding="utf-8")
    header, rows = sample_lines("s4")
    digest_of(home, [header, *rows[1:]], target=home / "other")
    assert read_region(home / "other").licence.startswith("CC-BY-SA-4.0. OpenCelliD Project")


def test_an_edition_without_cells_is_refused(home: Path) -> None:
    with pytest.raises(EdgeBenchError, match="needs cells"):
        build_region(region_spec("s4"), edition="real")


def test_a_region_beyond_the_memory_is_refused_with_both_sizes(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "memory_bytes", lambda: 2_400_000_000)
    large = dataclasses.replace(region_spec("s1"), nodes=20_000)
    with pytest.raises(EdgeBenchError, match=r"take 9\.6 GB, this machine has 2\.4 GB[^$]*10,000 nodes at most"):
        build_region(large)
    assert list(home.iterdir()) == []
    pipeline.check_memory(dataclasses.replace(large, nodes=10_000))


def test_a_negative_seed_is_refused(home: Path) -> None:
    with pytest.raises(EdgeBenchError, match="out of range"):
        build_region(region_spec("s4"), seed=-1)


@pytest.mark.parametrize(
    ("name", "date"),
    [
        ("228_mls_202403.csv.gz", "2024-03"),
        ("234_ocid_20260131_headerless.csv.gz", "2026-01-31"),
        ("OCID-diff-cell-export-2022-09-10-T000000.csv.gz", "2022-09-10"),
        ("228.csv.gz", None),
        ("cells_209999.csv", None),
    ],
)
def test_the_date_of_a_dump_stands_in_its_name(name: str, date: str | None) -> None:
    assert dump_date(name) == date


VIDEO_TOGETHER = pl.when(pl.col("model_type") == "video").then(0).otherwise("node_id").cast(pl.Int32).alias("node_id")
LOOPED = pl.lit([0, 1, 4, 4, 8])
UNKNOWN = pl.lit(["text", "text", "sound", "text", "text"])
ENDLESS = pl.lit([3001] * 5)
NOTHING = pl.lit([0.0] * 5)


def chain(stages: int) -> pl.Expr:
    return pl.lit([1 << stage >> 1 for stage in range(stages)])


BREAKS = {
    "25 nodes": ("nodes", lambda table: pl.concat((table, table.tail(1)))),
    "node_id counts from 0": ("nodes", lambda table: table[::-1]),
    "different places": ("nodes", lambda table: table.with_columns(lat=46.0, lon=7.0)),
    "compute is as in": ("nodes", lambda table: table.with_columns(pl.col("compute") + 1)),
    "storage_gb is as in": ("nodes", lambda table: table.with_columns(storage_gb=16)),
    "every node has a positive price": ("nodes", lambda table: table.with_columns(price=0.0)),
    "40 links": ("links", lambda table: pl.concat((table, table.tail(1)))),
    "no pair of nodes has two links": ("links", lambda table: pl.concat((table, table.tail(1)))),
    "the network is connected": ("links", lambda table: table.filter((pl.col("src") != 3) & (pl.col("dst") != 3))),
    "src is below dst": ("links", lambda table: table.with_columns(src="dst", dst="src")),
    "distances are great circles": ("links", lambda table: table.with_columns(pl.col("distance_km") + 0.01)),
    "latency is positive": ("links", lambda table: table.with_columns(latency_ms=0.0)),
    "a trap at least": ("links", lambda table: table.with_columns(is_trap=False)),
    "traps alone have trap parameters": ("links", lambda table: table.with_columns(trap_enter=0.5)),
    "traps behave as gilbert-elliott": ("links", lambda table: table.with_columns(trap_rest_ms=1.0)),
    "instance_id counts from 0": ("instances", lambda table: table[::-1]),
    "no node holds a model twice": ("instances", lambda table: pl.concat((table, table.tail(1)))),
    "model types are text, image, video": ("instances", lambda table: table.with_columns(model_type=pl.lit("sound"))),
    "every model fits its node": ("instances", lambda table: table.with_columns(pl.col("memory_gb") + 99)),
    "every model is placed once": ("instances", lambda table: table.with_columns(model_id=pl.lit("text-001"))),
    "30 image models": ("instances", lambda table: table.filter(pl.col("model_id") != "image-001")),
    "video is on two nodes or more": ("instances", lambda table: table.with_columns(VIDEO_TOGETHER)),
    "weights sum to 1": ("tasks", lambda table: table.with_columns(pl.col("speed_weight") + 0.01)),
    "no user is in two splits": ("tasks", lambda table: table.with_columns(user_id=0)),
    "no place is in two splits": ("tasks", lambda table: table.with_columns(lat=46.0, lon=7.0)),
    "1000 tasks in train": ("tasks", lambda table: table[1:]),
    "200 users in test": ("tasks", lambda table: table.with_columns(user_id=0)),
    "arrivals rise in val": ("tasks", lambda table: table.with_columns(arrival_ms=0.0)),
    "tasks a second in val": ("tasks", lambda table: table.with_columns(pl.col("arrival_ms") * 2.0)),
    "workflows have 1 to 10 stages": ("tasks", lambda table: table.with_columns(stage_parents=chain(11))),
    "stages stand behind their parents": ("tasks", lambda table: table.with_columns(stage_parents=LOOPED)),
    "workflows have the shape chain-5": ("tasks", lambda table: table.with_columns(stage_parents=chain(4))),
    "the same stages in every column": ("tasks", lambda table: table.with_columns(stage_parents=chain(4))),
    "stages are of the experts' types": ("tasks", lambda table: table.with_columns(stage_types=UNKNOWN)),
    "every stage has a type that is placed": ("tasks", lambda table: table.with_columns(stage_types=UNKNOWN)),
    "tokens are between": ("tasks", lambda table: table.with_columns(stage_tokens=ENDLESS)),
    "stages yield what their kind yields": ("tasks", lambda table: table.with_columns(stage_output_mb=NOTHING)),
}


@pytest.mark.parametrize("claim", BREAKS)
def test_a_broken_claim_is_named(built: dict[str, Region], claim: str) -> None:
    tables = {name: pl.from_arrow(table) for name, table in built["s1"].tables.items()}
    prove_structure(tables, region_spec("s1"))
    name, change = BREAKS[claim]
    with pytest.raises(EdgeBenchError, match=claim):
        prove_structure(tables | {name: change(tables[name])}, region_spec("s1"))
