"""Everything wrong with a submission is found at once, and no input makes the check stumble."""

import json

import pytest
from board_toy import COLUMNS, all_rows, changed, csv_text, failed, manifest_of, rules, write_run
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgebench.errors import EdgeBenchError
from edgebench.leaderboard.inert import is_plain
from edgebench.leaderboard.validate import validate


def found(folder):
    return [str(problem) for problem in validate(folder, rules)]


def test_a_run_in_order_has_no_problem(tmp_path):
    assert found(write_run(tmp_path / "run")) == []


def test_failed_episodes_are_in_order_too(tmp_path):
    rows = all_rows()
    rows[3] = failed(rows[3])
    assert found(write_run(tmp_path / "run", rows)) == []


def test_a_reward_may_be_below_nothing_by_rounding(tmp_path):
    rows = changed(all_rows(), 1, utility="0.0", reward="-7.2e-16")
    problems = found(write_run(tmp_path / "run", rows))
    assert not [problem for problem in problems if "reward" in problem]


def test_the_order_of_rows_does_not_matter(tmp_path):
    assert found(write_run(tmp_path / "run", all_rows()[::-1])) == []


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({"utility": "1.2", "reward": "60.0"}, "utility is 1.2, above 1"),
        ({"utility": "-0.2", "reward": "-10.0"}, "utility is -0.2, below 0"),
        ({"utility": "nan"}, "utility is 'nan', not a finite number"),
        ({"utility": "1e999"}, "utility is '1e999', not a finite number"),
        ({"quality": ""}, "quality is '', not a finite number"),
        ({"reward": "3.0"}, "reward is 3, the utilities of its tasks sum to"),
        ({"success": "1.5"}, "success is 1.5, above 1"),
        ({"latency_mean_ms": "-1.0"}, "latency_mean_ms is -1.0, below 0"),
        ({"latency_p50_ms": "9500.0"}, "the latency percentiles do not rise"),
        ({"decisions": "1.5"}, "decisions is 1.5, not a count"),
        ({"decision_cpu_ms": "1000.5"}, "decision_cpu_ms is 1000.5, above the budget of 1000"),
        ({"status": "fine"}, "status is 'fine', not one of ok, invalid, error, timeout"),
        ({"status": "timeout"}, "a failed episode has"),
        ({"region": "s9"}, "region 's9' is not of this board"),
        ({"window": "7"}, "window 7 seed 1 is no episode of the board"),
        ({"window": "x"}, "window is 'x', not a whole number"),
        ({"episode": "0"}, "episode is 0, window 0 seed 1 is number 1"),
        ({"scenario": "calm"}, "scenario is 'calm', the board's is 'trap'"),
        ({"edition": "mine"}, "edition is 'mine', the board's is 'sample'"),
        ({"split": "train"}, "split is 'train', the board's is 'test'"),
    ],
)
def test_a_wrong_cell_is_named_with_its_row(tmp_path, cells, said):
    folder = write_run(tmp_path / "run")
    (folder / "episodes.csv").write_text(csv_text(changed(all_rows(), 1, **cells)), encoding="utf-8")
    assert any(line.startswith("episodes.csv, row 3: ") and said in line for line in found(folder)), found(folder)


def test_all_problems_are_listed_at_once(tmp_path):
    folder = write_run(tmp_path / "run")
    rows = changed(changed(all_rows(), 1, utility="2.0"), 4, status="fine")[:-1]
    (folder / "episodes.csv").write_text(csv_text(rows), encoding="utf-8")
    (folder / "agent.py").write_text("def act(observation, info):\n    return 1\n", encoding="utf-8")
    text = "\n".join(found(folder))
    for said in (
        "row 3: utility is 2.0",
        "row 6: status is 'fine'",
        "1 episodes of region s2 are missing",
        "agent.py: SHA",
    ):
        assert said in text


def test_an_episode_twice_is_named_with_both_rows(tmp_path):
    folder = write_run(tmp_path / "run")
    rows = all_rows()
    (folder / "episodes.csv").write_text(csv_text([*rows, rows[0]]), encoding="utf-8")
    assert found(folder) == [f"episodes.csv, row {len(rows) + 2}: the same episode as row 2"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"seeds": 1}, "seeds is 1, the board asks for 2"),
        ({"split": "val"}, "split is 'val', boards are of 'test'"),
        ({"version": "0.0.1"}, "made with version 0.0.1"),
        ({"regions": {"s1": "0" * 64}}, "region s2 was not played"),
        ({"regions": {"s1": "0" * 64}}, "region s1 had digest 000000000000, here it has"),
        ({"budgets": {"decision_cpu_s": 9.0}}, "budgets are {'decision_cpu_s': 9.0}"),
        ({"track": "sprint"}, "track is 'sprint', not one of route"),
        ({"agent": {"name": "x"}}, "agent is {'name': 'x'}, not a plain name, kind"),
        ({"agent": {"name": "nobody", "kind": "reference", "sha256": "0" * 64}}, "no reference agent 'nobody'"),
        ({"agent": {"name": "nearest", "kind": "reference", "sha256": "0" * 64}}, "nearest has changed since"),
        ({"format_version": 1}, "format_version is 1, not 3: evaluate it again"),
        ({"privileged": "no"}, "privileged is 'no', not true or false"),
        ({"privileged": 1}, "privileged is 1, not true or false"),
    ],
)
def test_a_wrong_claim_is_named(tmp_path, changes, said):
    lines = found(write_run(tmp_path / "run", manifest=manifest_of(**changes)))
    assert any(said in line for line in lines), lines


def test_a_privileged_run_is_in_order_and_its_summary_says_so(tmp_path):
    folder = write_run(tmp_path / "run", manifest=manifest_of(privileged=True))
    assert found(folder) == []
    (folder / "manifest.json").write_text(json.dumps(manifest_of()))
    assert found(folder) == ["summary.json: privileged is True, recomputed it is False"]


def test_a_manifest_that_does_not_say_whether_it_is_privileged_is_malformed(tmp_path):
    manifest = manifest_of()
    del manifest["privileged"]
    assert found(write_run(tmp_path / "run", manifest=manifest)) == ["manifest.json: privileged is missing"]


def test_a_malformed_manifest_hides_no_wrong_row(tmp_path):
    manifest = manifest_of(seeds=1, privileged="no", agent={"name": "x"})
    folder = write_run(tmp_path / "run", manifest=manifest)
    (folder / "episodes.csv").write_text(csv_text(changed(all_rows(), 1, status="fine")), encoding="utf-8")
    lines = found(folder)
    for said in (
        "manifest.json: privileged is",
        "manifest.json: agent is",
        "manifest.json: seeds is 1",
        "row 3: status",
    ):
        assert any(said in line for line in lines), (said, lines)


def test_a_polished_summary_is_caught(tmp_path):
    folder = write_run(tmp_path / "run")
    summary = json.loads((folder / "summary.json").read_text())
    summary["total"]["score"]["value"] += 0.01
    summary["regions"][1]["bound"] = 0.7
    summary["extra"] = 1
    (folder / "summary.json").write_text(json.dumps(summary))
    lines = found(folder)
    assert len(lines) == 3
    assert lines[0] == "summary.json: extra is not an entry of a summary"
    assert lines[1].startswith("summary.json: regions[1].bound is 0.7, recomputed it is 0.8")
    assert lines[2].startswith("summary.json: total.score.value is ")


@pytest.mark.parametrize("name", ["episodes.csv", "manifest.json", "summary.json", "agent.py"])
def test_a_missing_file_is_named(tmp_path, name):
    folder = write_run(tmp_path / "run")
    (folder / name).unlink()
    lines = found(folder)
    assert len(lines) == 1 and lines[0].startswith(f"{name}: cannot be read")


def test_a_folder_in_place_of_a_file_is_named(tmp_path):
    folder = write_run(tmp_path / "run")
    (folder / "agent.py").unlink()
    (folder / "agent.py").mkdir()
    assert found(folder)[0].startswith("agent.py: cannot be read")


def test_a_board_that_cannot_be_had_is_a_problem(tmp_path):
    def unbuilt(track, edition, scenario, played):
        raise EdgeBenchError("region 's1' is not built", mend="edgebench build --region s1")

    problems = validate(write_run(tmp_path / "run"), unbuilt)
    assert [problem.file for problem in problems] == ["manifest.json"]
    assert "region 's1' is not built" in problems[0].what


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"a": NaN}', "[" * 5000, '{"a":' * 200 + "1" + "}" * 200, '{"seeds": ' + "9" * 400 + "}"]
)
def test_odd_json_is_one_problem(tmp_path, text):
    folder = write_run(tmp_path / "run")
    (folder / "manifest.json").write_text(text)
    lines = found(folder)
    assert len(lines) == 1 and lines[0].startswith("manifest.json: ")


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
_fuzz = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@_fuzz
@given(
    file=st.sampled_from(["episodes.csv", "manifest.json", "summary.json", "agent.py"]), data=st.binary(max_size=400)
)
def test_no_bytes_make_it_stumble(tmp_path, file, data):
    folder = write_run(tmp_path / "run")
    (folder / file).write_bytes(data)
    assert validate(folder, rules)


@_fuzz
@given(entry=st.sampled_from(sorted(manifest_of())), value=_json)
def test_no_manifest_entry_makes_it_stumble(tmp_path, entry, value):
    folder = write_run(
        tmp_path / "run",
        manifest=manifest_of(**({"version": value} if entry == "edgebench_version" else {entry: value})),
    )
    assert all(str(problem).encode() for problem in validate(folder, rules))


@_fuzz
@given(row=st.integers(0, 7), column=st.sampled_from(COLUMNS), cell=st.text(max_size=12))
def test_no_cell_makes_it_stumble(tmp_path, row, column, cell):
    import csv
    import io

    folder, rows = write_run(tmp_path / "run"), all_rows()
    text = io.StringIO()
    lines = [[r[name] for name in COLUMNS] for r in changed(rows, row, **{column: cell})]
    csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows([COLUMNS, *lines])
    (folder / "episodes.csv").write_bytes(text.getvalue().encode())
    harmless = cell == rows[row][column] or (column == "detail" and is_plain(cell))
    for problem in validate(folder, rules):
        assert not harmless or problem.file == "summary.json"


@_fuzz
@given(path=st.sampled_from(["track", "regions", "total"]), value=_json)
def test_no_summary_makes_it_stumble(tmp_path, path, value):
    folder = write_run(tmp_path / "run")
    summary = json.loads((folder / "summary.json").read_text())
    (folder / "summary.json").write_text(json.dumps(summary | {path: value}))
    assert all(problem.file == "summary.json" for problem in validate(folder, rules))
