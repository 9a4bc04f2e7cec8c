"""No reader of foreign files raises anything but EdgeBenchError, whatever the file holds."""

import random

import pytest
from foreign_readers import broken, crash, readers

KINDS = 9
TRIES = 150


@pytest.mark.parametrize("number", range(KINDS))
def test_a_broken_file_is_refused_or_read(tmp_path, monkeypatch, number):
    monkeypatch.setenv("EDGEBENCH_HOME", str(tmp_path))
    reader = readers(tmp_path)[number]
    healthy, dice = reader.path.read_bytes(), random.Random(number)
    assert crash(reader, healthy) == ""
    found = {crash(reader, broken(healthy, dice)) for _ in range(TRIES)}
    assert found == {""}, (reader.name, found)


def test_all_readers_are_tried(tmp_path, monkeypatch):
    monkeypatch.setenv("EDGEBENCH_HOME", str(tmp_path))
    assert len(readers(tmp_path)) == KINDS
