"""Archives of regions: the same bytes every time, and nothing taken on trust."""

import io
import json
import shutil
import stat
import struct
import tempfile
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgebench import archive as subject
from edgebench.archive import LICENCE_FILE, MEMBERS, add_archive, is_safe_name, load_safely, pack_region
from edgebench.errors import EdgeBenchError
from edgebench.region import load, read_region
from edgebench.schema import region_digest, table_digest


@pytest.fixture(scope="module")
def s1(regions):
    return regions["s1"]


@pytest.fixture(scope="module")
def packed(s1, tmp_path_factory):
    path = tmp_path_factory.mktemp("packed") / "s1.zip"
    pack_region(s1, path)
    return path


@pytest.fixture(scope="module")
def contents(packed):
    """Members of the sound archive by name."""
    with zipfile.ZipFile(packed) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("EDGEBENCH_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def temporaries(tmp_path, monkeypatch):
    """Where this test's temporary folders go."""
    folder = tmp_path / "temporaries"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def write_zip(path, members, method=zipfile.ZIP_STORED):
    """An archive of (name or ZipInfo, bytes) pairs."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def refused(path, said, home, temporaries):
    """The archive is refused with these words, and nothing is left."""
    with pytest.raises(EdgeBenchError, match=said):
        add_archive(path)
    assert not home.exists() and not list(temporaries.iterdir())


def test_the_same_region_gives_the_same_bytes(s1, packed, tmp_path):
    moved = tmp_path / "elsewhere"
    shutil.copytree(s1.path, moved)
    again = tmp_path / "again.zip"
    pack_region(read_region(moved), again)
    assert again.read_bytes() == packed.read_bytes()


def test_members_are_sorted_and_bear_no_clock(packed):
    with zipfile.ZipFile(packed) as archive:
        members = archive.infolist()
    assert [info.filename for info in members] == list(MEMBERS) == sorted(MEMBERS)
    assert {(info.date_time, info.compress_type, info.create_system) for info in members} == {
        ((1980, 1, 1, 0, 0, 0), zipfile.ZIP_STORED, 3)
    }


def test_licence_and_attribution_travel_along(contents):
    assert contents[LICENCE_FILE].decode().splitlines() == [
        "Region s1, edition sample",
        "Licence: CC0-1.0",
        "Attribution: EdgeBench sample cells, generated",
    ]


def test_an_added_region_is_the_packed_one(s1, packed, home, temporaries):
    added = add_archive(packed)
    loaded = load("s1")
    assert loaded.manifest == added.manifest == s1.manifest
    assert added.path == loaded.path == home / "processed" / "sample" / "s1"
    assert sorted(file.name for file in loaded.path.iterdir()) == list(MEMBERS)
    assert not list(temporaries.iterdir())
    assert [folder.name for folder in loaded.path.parent.iterdir()] == ["s1"]


def test_an_added_region_packs_to_the_same_bytes(packed, home, tmp_path):
    pack_region(add_archive(packed), tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == packed.read_bytes()


def test_deflated_members_are_read_too(contents, home, tmp_path):
    path = write_zip(tmp_path / "a.zip", contents.items(), zipfile.ZIP_DEFLATED)
    assert add_archive(path).name == "s1"


def test_the_same_region_again_is_left_as_it_is(packed, home):
    folder = add_archive(packed).path
    before = {file.name: file.stat().st_mtime_ns for file in folder.iterdir()}
    add_archive(packed)
    assert {file.name: file.stat().st_mtime_ns for file in folder.iterdir()} == before


@pytest.mark.parametrize("damage", [b"", b"{}"])
def test_a_damaged_region_is_replaced_only_by_force(packed, home, damage):
    folder = add_archive(packed).path
    (folder / "manifest.json").write_bytes(damage)
    with pytest.raises(EdgeBenchError, match="a damaged region is there already"):
        add_archive(packed)
    add_archive(packed, force=True)
    assert load("s1").name == "s1"


def test_a_different_region_is_replaced_only_by_force(packed, regions, contents, home, tmp_path):
    folder = add_archive(packed).path
    manifest = json.loads(contents["manifest.json"]) | {"seed": 7}
    other = write_zip(tmp_path / "b.zip", (contents | {"manifest.json": json.dumps(manifest)}).items())
    with pytest.raises(EdgeBenchError, match="a different region is there already"):
        add_archive(other)
    assert read_region(folder).manifest["seed"] == 0
    assert add_archive(other, force=True).manifest["seed"] == 7
    assert read_region(folder).manifest["seed"] == 7


@pytest.mark.parametrize("name", ["/etc/passwd", "../nodes.parquet", "a/../../b", "..\\b", "\\\\host\\b", "C:\\b"])
def test_a_member_outside_its_folder_is_refused(contents, home, temporaries, tmp_path, name):
    path = write_zip(tmp_path / "a.zip", [*contents.items(), (name, b"x")])
    refused(path, "would lie outside its folder", home, temporaries)


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFDIR])
def test_a_member_that_is_no_file_is_refused(contents, home, temporaries, tmp_path, kind):
    info = zipfile.ZipInfo(LICENCE_FILE)
    info.create_system, info.external_attr = 3, (kind | 0o777) << 16
    members = [(name, content) for name, content in contents.items() if name != LICENCE_FILE]
    path = write_zip(tmp_path / "a.zip", [*members, (info, b"/etc/passwd")])
    refused(path, "is a link or no plain file", home, temporaries)


def test_unknown_and_missing_members_are_named(contents, home, temporaries, tmp_path):
    members = {name: content for name, content in contents.items() if name != "tasks.parquet"}
    path = write_zip(tmp_path / "a.zip", [*members.items(), ("setup.py", b"")])
    refused(path, r"unknown \['setup.py'\], missing \['tasks.parquet'\]", home, temporaries)


def test_a_name_twice_is_refused(contents, home, temporaries, tmp_path):
    with pytest.warns(UserWarning, match="Duplicate name"):
        path = write_zip(tmp_path / "a.zip", [*contents.items(), ("nodes.parquet", b"")])
    refused(path, "holds a name twice", home, temporaries)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_packing_methods_are_refused(contents, home, temporaries, tmp_path, method):
    refused(write_zip(tmp_path / "a.zip", contents.items(), method), "another method", home, temporaries)


def test_a_member_packed_too_well_is_refused(contents, home, temporaries, tmp_path):
    bomb = contents | {"tasks.parquet": b"\0" * 10_000_000}
    path = write_zip(tmp_path / "a.zip", bomb.items(), zipfile.ZIP_DEFLATED)
    refused(path, "would unpack to over 100 times its size", home, temporaries)


def test_declared_sizes_have_a_limit(packed, home, temporaries, monkeypatch):
    monkeypatch.setattr(subject, "MAX_BYTES", packed.stat().st_size - 1)
    refused(packed, "an archive has 22 to", home, temporaries)
    monkeypatch.setattr(subject, "_check_end", lambda _: None)
    monkeypatch.setattr(subject, "MAX_BYTES", packed.stat().st_size // 2)
    refused(packed, "its members declare more than", home, temporaries)


def test_a_long_text_is_refused(contents, home, temporaries, tmp_path):
    path = write_zip(tmp_path / "a.zip", (contents | {"manifest.json": b" " * 5_000_000}).items())
    refused(path, "'manifest.json' is larger than", home, temporaries)


def test_a_member_that_holds_more_than_it_declares_is_refused(contents, home, temporaries, tmp_path):
    path = write_zip(tmp_path / "a.zip", contents.items(), zipfile.ZIP_DEFLATED)
    raw = bytearray(path.read_bytes())
    entry = raw.index(b"PK\1\2")
    (size,) = struct.unpack_from("<L", raw, entry + 24)
    struct.pack_into("<L", raw, entry + 24, size - 1)
    path.write_bytes(raw)
    refused(path, "cannot be read: Bad CRC-32|holds more than it declares", home, temporaries)


def test_a_vast_directory_is_refused_before_it_is_read(home, temporaries, tmp_path, monkeypatch):
    path = write_zip(tmp_path / "a.zip", ((f"{number:06}.txt", b"") for number in range(2_000)))
    monkeypatch.setattr(zipfile, "ZipFile", None)
    refused(path, "its directory is far larger", home, temporaries)


def test_a_zip64_archive_is_refused(packed, home, temporaries, tmp_path):
    raw = packed.read_bytes()
    path = tmp_path / "a.zip"
    path.write_bytes(raw[:-22] + b"PK\6\7" + bytes(16) + raw[-22:])
    refused(path, "its directory is far larger", home, temporaries)


@pytest.mark.parametrize("cut", [1, 21, 22, 1000])
def test_an_archive_cut_short_is_refused(packed, home, temporaries, tmp_path, cut):
    path = tmp_path / "a.zip"
    path.write_bytes(packed.read_bytes()[:-cut])
    refused(path, "cut short", home, temporaries)


@pytest.mark.parametrize("content", [b"", b"PK", b"<html>not found</html>", bytes(5000)])
def test_what_is_no_zip_is_refused(home, temporaries, tmp_path, content):
    path = tmp_path / "a.zip"
    path.write_bytes(content)
    refused(path, "not a zip file|an archive has", home, temporaries)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"digest": "0" * 64}, "the region digest does not follow"),
        ({"region": "../s1"}, "cannot name a region"),
        ({"region": "con"}, "cannot name a region"),
        ({"edition": "/tmp"}, "cannot name a edition"),
        ({"edition": 3}, "cannot name a edition"),
        ({"licence": ""}, "states no licence"),
        ({"attribution": "nobody"}, "does not say what the manifest says"),
        ({"tables": ["nodes", "links", "instances", "tasks"]}, "cannot be read|unreadable"),
        ({"format_version": 99}, "format 99"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(contents, home, temporaries, tmp_path, change, said):
    manifest = json.loads(contents["manifest.json"]) | change
    path = write_zip(tmp_path / "a.zip", (contents | {"manifest.json": json.dumps(manifest)}).items())
    refused(path, said, home, temporaries)


@pytest.mark.parametrize("text", ["[]", "null", "{", "[" * 100_000, "\ud800".encode("utf-8", "surrogatepass")])
def test_a_manifest_that_is_none_is_refused(contents, home, temporaries, tmp_path, text):
    path = write_zip(tmp_path / "a.zip", (contents | {"manifest.json": text}).items())
    refused(path, "manifest.json is not an object|cannot be read", home, temporaries)


def test_a_wrong_digest_is_refused(contents, home, temporaries, tmp_path):
    table = pq.read_table(io.BytesIO(contents["nodes.parquet"]))
    changed = table.set_column(3, table.schema.field(3), pa.array([99] * table.num_rows, pa.int32()))
    file = io.BytesIO()
    pq.write_table(changed, file)
    path = write_zip(tmp_path / "a.zip", (contents | {"nodes.parquet": file.getvalue()}).items())
    refused(path, "nodes.parquet: .*the values differ from the digest", home, temporaries)


def test_a_table_of_very_many_values_is_refused_by_its_header(contents, home, temporaries, tmp_path, monkeypatch):
    monkeypatch.setattr(subject, "MAX_VALUES", 1000)
    monkeypatch.setattr(subject, "read_region", None)
    path = write_zip(tmp_path / "a.zip", contents.items())
    refused(path, "instances.parquet declares more than 1,000 values", home, temporaries)


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\\b", "A", "nul", "com1", "-a", "é", "a" * 65, None, "a\n"])
def test_unsafe_names(name):
    assert not is_safe_name(name)


@pytest.mark.parametrize("name", ["s1", "ocid-202603", "legacy_s1", "console"])
def test_safe_names(name):
    assert is_safe_name(name)


def test_a_region_under_another_name_is_not_loaded(packed, home):
    folder = add_archive(packed).path
    shutil.copytree(folder, folder.parent / "s9")
    with pytest.raises(EdgeBenchError, match="the manifest is of region 's1'"):
        load_safely("s9", "sample")
    with pytest.raises(EdgeBenchError, match="cannot name a region"):
        load_safely("../sample/s1", "sample")


def consistent(contents, change):
    """The members with `change` applied and every digest made to fit, where the tables can still be read."""
    changed = contents | change
    manifest = json.loads(changed["manifest.json"])
    for name in manifest["tables"]:
        table = pq.read_table(io.BytesIO(changed[f"{name}.parquet"]))
        manifest["tables"][name]["digest"] = table_digest(table)
    manifest["digest"] = region_digest({name: entry["digest"] for name, entry in manifest["tables"].items()})
    return changed | {"manifest.json": json.dumps(manifest).encode()}


def test_columns_that_are_not_the_schema_s_are_refused(contents, home, temporaries, tmp_path):
    file = io.BytesIO()
    pq.write_table(pq.read_table(io.BytesIO(contents["links.parquet"])).drop_columns("is_trap"), file)
    members = consistent(contents, {"links.parquet": file.getvalue()})
    refused(write_zip(tmp_path / "a.zip", members.items()), "links.parquet: .*columns are", home, temporaries)


class Playground:
    """A folder in which an archive is tried, and what it left behind is seen."""

    def __init__(self, folder):
        self.file, self.home, self.temporaries = folder / "a.zip", folder / "home", folder / "temporaries"
        self.temporaries.mkdir()

    def try_bytes(self, content, sound):
        """Add `content`; it is refused without a trace, or is the sound region."""
        self.file.write_bytes(content)
        try:
            region = add_archive(self.file)
        except EdgeBenchError:
            assert not self.home.exists()
        else:
            assert {name: region.tables[name] for name in sound.tables} == sound.tables
            shutil.rmtree(self.home)
        assert not list(self.temporaries.iterdir())


@pytest.fixture
def playground(tmp_path, home, monkeypatch):
    ground = Playground(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(ground.temporaries))
    return ground


FUZZ = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
EDITS = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=8)


def edited(content, edits):
    """`content` with bytes set at shares of its length."""
    raw = bytearray(content)
    for share, value in edits:
        raw[int(share * len(raw))] = value
    return bytes(raw)


@FUZZ
@given(content=st.binary(max_size=400), head=st.sampled_from([b"", b"PK\3\4", b"PK\1\2"]), end=st.booleans())
def test_random_bytes_are_refused(playground, s1, content, head, end):
    tail = b"PK\5\6" + bytes(4) + struct.pack("<2H2LH", 1, 1, len(content), 0, 0) if end else b""
    playground.try_bytes(head + content + tail, s1)


@FUZZ
@given(edits=EDITS, where=st.sampled_from(["anywhere", "headers"]))
def test_a_mutated_archive_is_refused_or_harmless(playground, s1, packed, edits, where):
    raw = packed.read_bytes()
    start = raw.index(b"PK\1\2") if where == "headers" else 0
    playground.try_bytes(raw[:start] + edited(raw[start:], edits), s1)


@FUZZ
@given(edits=EDITS, name=st.sampled_from(MEMBERS))
def test_a_mutated_member_in_a_sound_archive_is_refused_or_harmless(playground, s1, contents, edits, name):
    file = io.BytesIO()
    write_zip(file, (contents | {name: edited(contents[name], edits)}).items())
    playground.try_bytes(file.getvalue(), s1)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("README.md", b"# another card\n", "does not describe the files beside it"),
        ("croissant.json", b"[]", "does not describe the files beside it"),
        ("croissant.json", b"{", "cannot be read"),
    ],
)
def test_a_description_of_other_files_is_refused(contents, home, temporaries, tmp_path, name, content, said):
    path = write_zip(tmp_path / "a.zip", (contents | {name: content}).items())
    refused(path, said, home, temporaries)


def test_a_description_with_another_licence_is_refused(contents, home, temporaries, tmp_path):
    described = json.loads(contents["croissant.json"]) | {"license": "https://example.org/none"}
    path = write_zip(tmp_path / "a.zip", (contents | {"croissant.json": json.dumps(described)}).items())
    refused(path, "does not describe the files beside it", home, temporaries)


def test_a_region_without_its_card_is_not_packed(s1, tmp_path):
    bare = tmp_path / "s1"
    shutil.copytree(s1.path, bare)
    (bare / "README.md").unlink()
    with pytest.raises(EdgeBenchError, match=r"README.md is missing"):
        pack_region(read_region(bare), tmp_path / "s1.zip")
    assert not (tmp_path / "s1.zip").exists()


def test_a_missing_file_is_an_oserror(home, tmp_path):
    with pytest.raises(FileNotFoundError):
        add_archive(tmp_path / "none.zip")
