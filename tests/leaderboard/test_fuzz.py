"""No reader of foreign files raises anything but EdgeBenchError, whatever the file holds."""

import random

import pytest
from foreign_data import data_readers
from foreign_readers import broken, crash, readers

KINDS = [(readers, number) for number in range(9)] + [(data_readers, number) for number in range(18)]
TRIES = {readers: 150, data_readers: 60}


@pytest.mark.parametrize(("group", "number"), KINDS)
def test_a_broken_file_is_refused_or_read(tmp_path, monkeypatch, group, number):
    monkeypatch.setenv("EDGEBENCH_HOME", str(tmp_path))
    reader = group(tmp_path)[number]
    healthy, dice = reader.path.read_bytes(), random.Random(number)
    reader.read()
    found = {crash(reader, broken(healthy, dice)) for _ in range(TRIES[group])}
    assert found == {""}, (reader.name, found)


@pytest.mark.parametrize("group", TRIES)
def test_all_readers_are_tried(tmp_path, monkeypatch, group):
    monkeypatch.setenv("EDGEBENCH_HOME", str(tmp_path))
    assert [(group, number) for number in range(len(group(tmp_path)))] == [kind for kind in KINDS if kind[0] == group]
