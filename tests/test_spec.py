"""Specifications: every error at once, and the same specification back from TOML and from a manifest."""

import json
from dataclasses import asdict, fields, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.manifest import recorded_spec
from edgebench.errors import EdgeBenchError
from edgebench.registry import REGIONS, REGISTERED
from edgebench.spec import OWN_DEFAULTS, Range, RegionSpec, TrapSpec, WorkloadSpec
from edgebench.spec_check import ALLOWED, check_spec, spec_from_manifest
from edgebench.spec_file import own_spec, read_ring, to_toml

BERN = {"name": "bern", "mcc": [228], "bbox": [7.3, 46.9, 7.6, 47.0], "nodes": 40}
SQUARE = [[7.3, 46.9], [7.6, 46.9], [7.6, 47.0], [7.3, 47.0], [7.3, 46.9]]
SMALL = [[7.0, 46.0], [7.1, 46.0], [7.0, 46.1], [7.0, 46.0]]


def refusal(**change):
    """The message with which the specification of Bern is refused after a change; None leaves a key out."""
    entry = {key: value for key, value in {**BERN, **change}.items() if value is not None}
    with pytest.raises(EdgeBenchError) as caught:
        own_spec(entry)
    return str(caught.value)


def test_the_registered_regions_pass_the_strict_reader():
    for spec in REGISTERED.values():
        assert check_spec(asdict(spec), where=spec.name) == spec


def test_the_companions_and_the_trap_scales_are_no_standard_regions():
    companions = [f"{name}-dag" for name in REGIONS]
    assert [name for name in REGISTERED if name not in REGIONS] == [*companions, "trap500", "trap1000", "trap2000"]
    for name, spec in REGIONS.items():
        graphs = {"name": f"{name}-dag", "family": "dag", "network_of": name, "workload": WorkloadSpec(workflow="dag")}
        assert REGISTERED[f"{name}-dag"] == replace(spec, **graphs) and spec.network == name
    for nodes in (500, 1000, 2000):
        spec = REGISTERED[f"trap{nodes}"]
        assert (spec.nodes, spec.family, spec.placement) == (nodes, "scale", "tiled")
        assert (spec.compute.min, spec.compute.max, spec.storage_gb.min, spec.storage_gb.max) == (15, 59, 15, 37)
        assert (spec.mean_degree, spec.traps) == (3.5, TrapSpec("random", 0.1))


def test_what_is_left_out_has_its_default():
    spec = own_spec(BERN).spec
    assert (spec.title, spec.family, spec.nets) == ("bern", "own", ())
    assert (spec.compute, spec.storage_gb, spec.mean_degree) == (Range(16, 54, 34.6), Range(16, 34, 25.3), 3.2)
    assert (spec.traps, spec.workload) == (TrapSpec(), WorkloadSpec())
    assert spec.compute == REGIONS["s1"].compute and spec.storage_gb == REGIONS["s1"].storage_gb


def test_every_key_has_a_line_on_what_it_may_hold():
    keys = {field.name for field in fields(RegionSpec)} - {"family", "cross_domain", "network_of"}
    keys |= {f"traps.{field.name}" for field in fields(TrapSpec)}
    keys |= {f"workload.{field.name}" for field in fields(WorkloadSpec)}
    assert set(ALLOWED) == keys
    assert set(OWN_DEFAULTS) <= keys


BAD = [
    ("name", "Bern"),
    ("name", "../bern"),
    ("name", "com1"),
    ("name", "all"),
    ("name", ""),
    ("name", "x" * 300),
    ("name", "\x1b[31m"),
    ("name", 7),
    ("title", "\x1b[31m"),
    ("mcc", []),
    ("mcc", 228),
    ("mcc", [28]),
    ("mcc", [228, 228]),
    ("nets", [1000]),
    ("nets", [-1]),
    ("bbox", [7.6, 46.9, 7.3, 47.0]),
    ("bbox", [7.3, 47.0, 7.6, 46.9]),
    ("bbox", [7.3, 46.9, 7.6, 97.0]),
    ("bbox", [-190.0, 46.9, 7.6, 47.0]),
    ("bbox", [float("nan"), 46.9, 7.6, 47.0]),
    ("bbox", "Bern"),
    ("polygon", [[7.3, 46.9], [7.6, 46.9]]),
    ("polygon", [[7.3, 46.9], [7.6, 46.9], [7.6, 147.0]]),
    ("nodes", 2),
    ("nodes", 40.0),
    ("nodes", "40"),
    ("nodes", True),
    ("compute", {"min": 54, "max": 16, "mean": 34.6}),
    ("compute", {"min": 16, "max": 54, "mean": 60.0}),
    ("compute", {"min": 0, "max": 54, "mean": 30.0}),
    ("compute", {"min": 16, "max": 54, "mean": 16.1}),
    ("storage_gb", {"min": 16, "max": 16, "mean": 16}),
    ("storage_gb", 25),
    ("mean_degree", 1.0),
    ("mean_degree", 40.0),
    ("mean_degree", float("inf")),
    ("nodes_by", "kmeans"),
    ("links_by", "delaunay"),
    ("placement", "greedy"),
]
BAD_PARTS = [
    ("traps", "which", "all"),
    ("traps", "share", 0.0),
    ("traps", "share", 1.1),
    ("traps", "behaviour", "mean"),
    ("traps", "loss", 1.0),
    ("workload", "arrivals", "steady"),
    ("workload", "workflow", "ring"),
    ("workload", "experts", 2),
    ("workload", "experts", 65),
    ("workload", "tokens", 5),
    ("workload", "utilisation", 0.0),
    ("workload", "utilisation", 1.5),
]


@pytest.mark.parametrize(("key", "value"), BAD, ids=str)
def test_a_bad_value_is_told_with_its_key_and_what_is_allowed(key, value):
    message = refusal(**{key: value})
    assert message.startswith("1 error in the specification of a region:\n  " + key), message
    assert f"allowed: {ALLOWED[key]}" in message and "docs/regions.md" in message


@pytest.mark.parametrize(("table", "key", "value"), BAD_PARTS, ids=str)
def test_a_bad_value_in_a_table_is_told_with_its_path(table, key, value):
    message = refusal(**{table: {key: value}})
    path = f"{table}.{key}"
    assert f"1 error in the specification of a region:\n  {path}: given {value!r}; allowed: {ALLOWED[path]}" in message


def test_a_registered_name_is_refused():
    assert "'s1' is a registered region's" in refusal(name="s1")


@pytest.mark.parametrize("key", ["family", "cross_domain", "network_of"])
def test_keys_of_the_benchmarks_own_regions_are_refused(key):
    assert "the benchmark's own regions" in refusal(**{key: "standard"})


def test_a_missing_key_is_told():
    for key in ("name", "mcc", "bbox", "nodes"):
        assert f"1 error in the specification of a region:\n  {key}: missing" in refusal(**{key: None})


def test_traps_other_than_the_busiest_need_a_share():
    for which in ("random", "top-compute"):
        assert "1 error in the specification of a region:\n  traps.share: missing" in refusal(traps={"which": which})
    assert own_spec({**BERN, "traps": {"which": "random", "share": 0.1}}).spec.traps == TrapSpec("random", 0.1)


def test_an_unknown_key_is_told_with_the_nearest():
    assert "node_by: no such key; did you mean 'nodes_by'?" in refusal(node_by="spread")
    assert "traps.wich: no such key; did you mean 'which'?" in refusal(traps={"wich": "random"})
    assert "zzz: no such key; known: name, title" in refusal(zzz=1)


@pytest.mark.parametrize(("nodes", "degree"), [(3, 2.0), (4, 3.0), (5, 3.2), (40, 3.2)])
def test_a_few_nodes_have_the_degree_they_can(nodes, degree):
    few = {key: value for key, value in BERN.items() if key != "mean_degree"} | {"nodes": nodes}
    assert own_spec(few).spec.mean_degree == degree
    assert "mean_degree: given 9" in refusal(nodes=3, mean_degree=9.0)


def test_all_errors_are_told_at_once(tmp_path):
    path = tmp_path / "bad.toml"
    path.write_text(
        'mcc = [228, 5]\nbbox = [7.6, 46.9, 7.3]\nnodes = 2\nnode_by = "spread"\nlinks_by = "delaunay"\n'
        'compute = { min = 16, max = "54", mean = 80 }\nday = 1979-05-27\ntraps = { which = "all", share = 2.0 }\n'
    )
    with pytest.raises(EdgeBenchError, match="9 errors") as caught:
        own_spec({}, path)
    assert "2 errors" in refusal(nodes="forty", traps={"which": "random"}), "a share is missed beside other errors"
    for key in ("mcc", "bbox[3]", "nodes", "node_by", "links_by", "compute.max", "day", "traps.which", "traps.share"):
        assert f"\n  {key}: " in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("text", [b"nodes = ", b"nodes = 1\nnodes = 2\n", b"name = \xff\n"])
def test_a_file_that_is_no_toml_is_refused(tmp_path, text):
    path = tmp_path / "bad.toml"
    path.write_bytes(text)
    with pytest.raises(EdgeBenchError, match=r"no TOML|not UTF-8") as caught:
        own_spec({}, path)
    assert str(path) in str(caught.value)


def test_options_go_before_the_file_and_files_are_looked_for_beside_it(tmp_path):
    path = tmp_path / "bern.toml"
    path.write_text(
        'mcc = [228]\nnodes = 40\npolygon = "city.geojson"\nworkload = { tokens = "burst.csv", experts = 6 }\n'
    )
    (tmp_path / "city.geojson").write_text(json.dumps({"type": "Polygon", "coordinates": [SQUARE]}))
    own = own_spec({"nodes": 50, "workload": {"experts": 9}}, path)
    assert (own.spec.name, own.spec.nodes, own.spec.workload.experts) == ("bern", 50, 9)
    assert own.spec.workload.tokens == str(tmp_path / "burst.csv")
    assert own.files == {"polygon": tmp_path / "city.geojson"}
    assert own.spec.bbox == (7.3, 46.9, 7.6, 47.0)


def feature(geometry):
    return {"type": "Feature", "properties": {}, "geometry": geometry}


POLYGON = {"type": "Polygon", "coordinates": [SQUARE]}
SHAPES = {
    "polygon": (POLYGON, 0),
    "with altitudes": ({"type": "Polygon", "coordinates": [[[*point, 500.0] for point in SQUARE]]}, 0),
    "with a hole": ({"type": "Polygon", "coordinates": [SQUARE, SMALL]}, 1),
    "several parts": ({"type": "MultiPolygon", "coordinates": [[SMALL], [SQUARE], [SMALL]]}, 1),
    "feature": (feature(POLYGON), 0),
    "collection of one": ({"type": "FeatureCollection", "features": [feature(POLYGON)]}, 0),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_polygon_is_the_largest_ring_and_what_is_left_out_is_told(tmp_path, shape):
    path = tmp_path / "city.geojson"
    path.write_text(json.dumps(SHAPES[shape][0]))
    ring, remarks = read_ring(path)
    assert ring == tuple(map(tuple, SQUARE[:-1]))
    assert len(remarks) == SHAPES[shape][1]


NO_SHAPES = {
    "a line": {"type": "LineString", "coordinates": SQUARE},
    "two features": {"type": "FeatureCollection", "features": [feature(POLYGON)] * 2},
    "no feature": {"type": "FeatureCollection", "features": []},
    "no geometry": feature(None),
    "no part": {"type": "MultiPolygon", "coordinates": []},
    "text for numbers": {"type": "Polygon", "coordinates": [[["a", "b"]]]},
    "one coordinate": {"type": "Polygon", "coordinates": [[[7.0], [8.0]]]},
    "a list": [1],
    "a number": 1,
}


@pytest.mark.parametrize("shape", NO_SHAPES)
def test_what_is_no_polygon_is_refused(tmp_path, shape):
    path = tmp_path / "city.geojson"
    path.write_text(json.dumps(NO_SHAPES[shape]))
    with pytest.raises(EdgeBenchError, match="no polygon in GeoJSON") as caught:
        read_ring(path)
    assert str(path) in str(caught.value)


def test_what_is_no_json_is_refused(tmp_path):
    path = tmp_path / "city.geojson"
    path.write_text("[" * 100_000)
    with pytest.raises(EdgeBenchError, match="no polygon in GeoJSON"):
        read_ring(path)


def choices(key):
    return st.sampled_from(ALLOWED[key].split(", "))


numbers = st.floats(0.001, 0.999)
longitudes, latitudes = st.floats(-180.0, 180.0), st.floats(-90.0, 90.0)
words = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=20)


@st.composite
def ranges(draw, nodes):
    low = draw(st.integers(1, 100))
    high = draw(st.integers(low + 1, low + 100))
    return Range(low, high, draw(st.floats(low + 0.4 * (high - low), low + 0.6 * (high - low))))


@st.composite
def specs(draw):
    (west, east), (south, north) = (
        sorted(draw(st.lists(axis, min_size=2, max_size=2, unique=True))) for axis in (longitudes, latitudes)
    )
    nodes = draw(st.integers(20, 100_000))
    ring = st.lists(st.tuples(longitudes, latitudes), min_size=3, max_size=6, unique=True).map(tuple)
    which = draw(choices("traps.which"))
    share = draw(st.none() | numbers if which == "busiest" else numbers)
    traps = TrapSpec(which, share, draw(choices("traps.behaviour")), draw(numbers))
    workload = WorkloadSpec(draw(choices("workload.arrivals")), draw(choices("workload.workflow")),
                            draw(st.integers(3, 64)), None, draw(numbers))  # fmt: skip
    return RegionSpec(
        name=draw(st.from_regex(r"own[a-z0-9_-]{0,20}", fullmatch=True)),
        title=draw(words),
        mcc=tuple(draw(st.lists(st.integers(200, 999), min_size=1, max_size=3, unique=True))),
        nets=tuple(draw(st.lists(st.integers(0, 999), max_size=3, unique=True))),
        bbox=(west, south, east, north),
        nodes=nodes,
        compute=draw(ranges(nodes)),
        storage_gb=draw(ranges(nodes)),
        mean_degree=draw(st.floats(2.0, 19.0)),
        polygon=draw(st.none() | ring),
        nodes_by=draw(choices("nodes_by")),
        links_by=draw(choices("links_by")),
        placement=draw(choices("placement")),
        traps=traps,
        workload=workload,
        family="own",
    )


@settings(max_examples=60, deadline=None)
@given(spec=specs())
def test_a_specification_comes_back_from_toml_and_from_a_manifest(tmp_path_factory, spec):
    path = tmp_path_factory.mktemp("spec") / "any.toml"
    path.write_text(to_toml(spec), encoding="utf-8")
    assert own_spec({}, path).spec == spec
    manifest = json.loads(json.dumps({"region": spec.name, "spec": recorded_spec(spec)}))
    assert spec_from_manifest(manifest) == spec


@pytest.mark.parametrize("spec", [None, [], {}, {"name": "bern"}])
def test_a_manifest_without_a_specification_is_refused(spec):
    with pytest.raises(EdgeBenchError, match="specification"):
        spec_from_manifest({"region": "bern", "spec": spec})


def test_the_documentation_has_a_row_for_every_key_and_every_method():
    page = (Path(__file__).resolve().parent.parent / "docs" / "regions.md").read_text(encoding="utf-8")
    for key in ALLOWED:
        assert key in ("traps", "workload") or f"\n| `{key}` |" in page, key
    methods = ("nodes_by", "links_by", "placement", "traps.which", "traps.behaviour", "workload.arrivals")
    for key in (*methods, "workload.workflow"):
        for method in ALLOWED[key].split(", "):
            assert f"`{method}`" in page, method


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("deep.toml", "nodes = " + "[" * 3000, "no TOML"),
        ("long.toml", "nodes = " + "9" * 5000, "no TOML"),
        ("empty.geojson", '{"type": "Polygon", "coordinates": [[]]}', "no polygon"),
        ("far.geojson", '{"type": "Polygon", "coordinates": [[[1' + "0" * 400 + ", 1]]]}", "no polygon"),
    ],
)
def test_a_file_beyond_the_limits_of_python_is_refused(tmp_path, name, text, said):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    with pytest.raises(EdgeBenchError, match=said):
        read_ring(path) if path.suffix == ".geojson" else own_spec({}, path)
