"""`edgebench verify` end to end: what is honest comes out again, everything else is told for what it is."""

import json

import pytest
from honest_entry import HONEST, NEAREST, entered_as, last_line, rewritten

from edgebench.cli import main
from edgebench.errors import EdgeBenchError
from edgebench.harness.episodes import EpisodeKey
from edgebench.harness.run import evaluate
from edgebench.leaderboard.ledger import status_of
from edgebench.leaderboard.submission import submit
from edgebench.leaderboard.verify import choose, verify


def test_an_honest_entry_is_verified_in_part_and_then_whole(run, run_json, entered_home, entry):
    part = run("verify", entry, "--episodes", "3")
    assert part.exit_code == 0, part.stderr
    assert "verified: 3 of 20 episodes played again" in part.stdout
    assert str(status_of(entry)) == "verified 3/20"
    found = run_json("verify", entry, "--all")
    assert (found["status"], found["checked"], found["episodes"], found["whole"]) == ("verified", 20, 20, True)
    assert found["mismatches"] == found["claims"] == []
    alike = ("score", "statuses")
    assert [found["measured"]["total"][name] for name in alike] == [found["stated"]["total"][name] for name in alike]
    assert str(status_of(entry)) == "verified"
    assert [record["status"] for record in run_json("leaderboard")] == ["verified"]
    assert "| 0 | verified |" in (entry.parents[1] / "leaderboard.md").read_text(encoding="utf-8")
    assert not [path for path in (entered_home / "runs" / "verify").iterdir() if path.is_dir()]


def test_after_a_break_only_the_rest_is_played(entered_home, entry):

    def broken_off(region, done, total):
        if done == 7:
            raise KeyboardInterrupt

    played = []
    with pytest.raises(KeyboardInterrupt):
        verify(entry, on_episode=broken_off)
    assert last_line(entered_home).what == "added"
    found = verify(entry, on_episode=lambda *told: played.append(told))
    assert (found.status, found.checked, len(played)) == ("verified", 20, 13)


def test_two_cannot_verify_the_same_at_once(entry):

    refused = []

    def another(region, done, total):
        with pytest.raises(EdgeBenchError, match="another process verifies"):
            verify(entry, episodes=1)
        refused.append(done)

    assert verify(entry, episodes=1, on_episode=another).status == "verified"
    assert refused == [1]


def test_the_episodes_are_spread_over_all_regions_and_no_submission_can_choose_them():

    keys = [
        EpisodeKey(f"s{part}", "trap", window, seed) for part in (1, 2, 3) for window in range(4) for seed in (0, 1)
    ]
    for count in (1, 3, 7, 24, 99):
        chosen = choose(keys, count, "a" * 64, "2026-01-01T00:00:00+00:00")
        sizes = [sum(key.region == f"s{part}" for key in chosen) for part in (1, 2, 3)]
        assert sum(sizes) == min(count, 24) and max(sizes) - min(sizes) <= 1 and chosen == sorted(set(chosen))
    assert choose(keys, None, "a" * 64, "") == keys
    drawn = {tuple(choose(keys, 3, digest, date)) for digest in ("a", "b", "c") for date in ("1", "2", "3")}
    assert len(drawn) > 5
    assert choose(keys[::-1], 5, "a", "1") == choose(keys, 5, "a", "1")


def test_a_run_folder_is_verified_without_a_line_in_the_ledger(run, entered_home):
    before = (entered_home / "leaderboards" / "LEDGER.md").read_bytes()
    assert run("verify", entered_home / "runs" / "honest", "--episodes", "2").exit_code == 0
    assert (entered_home / "leaderboards" / "LEDGER.md").read_bytes() == before


def test_a_reference_agent_is_verified(run, entered_home):
    evaluate("nearest", regions=["s1"], out=entered_home / "runs" / "nearest")
    entry = submit(entered_home / "runs" / "nearest", "nearest")
    assert run("verify", entry, "--episodes", "2").exit_code == 0
    assert str(status_of(entry)) == "verified 2/20"


def test_a_tampered_episode_is_a_mismatch(run, entered_home, entry):
    table = entry / "episodes.csv"
    lines = table.read_text(encoding="utf-8").splitlines()
    names, cells = lines[0].split(","), lines[4].split(",")
    for name, factor in (("utility", 1.1), ("reward", 1.1)):
        cells[names.index(name)] = repr(float(cells[names.index(name)]) * factor)
    lines[4] = ",".join(cells)
    table.write_text("\n".join([*lines, ""]), encoding="utf-8", newline="\n")
    rewritten(entry)
    assert run("validate", entry).exit_code == 0
    found = run("verify", entry, "--all")
    assert found.exit_code == 1
    assert "episodes.csv, row 5, s1 window 0 seed 3: utility is" in found.stdout
    assert "1 episodes differ, 20 of 20 were played again" in found.stderr
    assert str(status_of(entry)) == "mismatch" == last_line(entered_home).what


def test_a_polished_summary_is_a_mismatch(run, entry):
    summary = json.loads((entry / "summary.json").read_text(encoding="utf-8"))
    summary["regions"][0]["bound"] *= 0.9
    (entry / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    found = run("verify", entry, "--episodes", "1")
    assert found.exit_code == 1 and "summary.json: regions[0].bound is" in found.stdout


def test_a_missing_episode_is_a_mismatch(run, entry):
    table = entry / "episodes.csv"
    table.write_text("\n".join([*table.read_text(encoding="utf-8").splitlines()[:-1], ""]), encoding="utf-8")
    found = run("verify", entry, "--episodes", "1")
    assert found.exit_code == 1 and "the episode is 'missing'" in found.stdout


def test_a_swapped_agent_is_unreproducible_and_with_its_hash_a_mismatch(run, entry):
    swapped = NEAREST.format(before="", first="False", else_="-1")
    (entry / "agent.py").write_text(swapped, encoding="utf-8", newline="\n")
    found = run("verify", entry)
    assert found.exit_code == 2 and "agent.py: SHA-256 is" in found.stderr
    assert str(status_of(entry)) == "unreproducible"
    rewritten(entry, agent=swapped)
    assert run("verify", entry, "--episodes", "2").exit_code == 1
    assert str(status_of(entry)) == "mismatch"


def test_a_missing_agent_and_one_that_does_not_start_are_unreproducible(run, entry):
    rewritten(entry, agent=HONEST + "\nraise SystemExit('gone')\n")
    found = run("verify", entry)
    assert found.exit_code == 2 and "the agent fails to start" in found.stderr
    (entry / "agent.py").unlink()
    found = run("verify", entry)
    assert found.exit_code == 2 and "agent.py: cannot be read" in found.stderr
    assert str(status_of(entry)) == "unreproducible"


def test_a_rebuilt_region_makes_its_rows_unreproducible(run, entered_home, entry):
    assert run("build", "--region", "s1", "--seed", "7", "--force").exit_code == 0
    found = run("verify", entry)
    assert found.exit_code == 2 and "region s1 had digest" in found.stderr
    assert last_line(entered_home).what == "unreproducible"


@pytest.mark.parametrize(
    ("before", "first"),
    [
        ("import time", "time.time_ns() // 1000 % 2"),
        ("import random\nDICE = random.SystemRandom()", "DICE.random() < 0.5"),
        ("EPISODES = []", "EPISODES.append(info) or len(EPISODES) % 2"),
    ],
)
def test_an_agent_that_draws_on_time_chance_or_the_past_is_a_mismatch(run, entered_home, before, first):
    entry = entered_as(entered_home, NEAREST.format(before=before, first=first, else_="-1"))
    assert run("verify", entry, "--episodes", "15").exit_code == 1
    assert str(status_of(entry)) == "mismatch"


def test_another_version_is_unreproducible(run, entry):
    rewritten(entry, edgebench_version="0.9.3")
    found = run("verify", entry)
    assert found.exit_code == 2 and "made with version 0.9.3" in found.stderr


@pytest.mark.parametrize("name", ["../../../my_agent.py", ".", "os:system", "/etc/passwd", "a b"])
def test_an_agent_named_by_a_path_is_not_run(run, entry, name):
    told = json.loads((entry / "manifest.json").read_text(encoding="utf-8"))
    told["agent"] |= {"kind": "package", "name": name}
    (entry / "manifest.json").write_text(json.dumps(told), encoding="utf-8")
    found = run("verify", entry)
    assert found.exit_code == 2 and "unreproducible" in found.stderr


@pytest.mark.parametrize(
    ("entry_name", "value"),
    [("seeds", 10**9), ("seeds", 0), ("split", "../x"), ("budgets", {}), ("budgets", {"decision_cpu_s": -1}),
     ("regions", {"../../x": "0" * 64}), ("regions", {"s9": "0" * 64})],
)  # fmt: skip
def test_a_hostile_manifest_is_refused(run, entry, entry_name, value):
    rewritten(entry, **{entry_name: value})
    found = run("verify", entry)
    assert found.exit_code == 2 and "Traceback" not in found.output


def test_an_entry_changed_meanwhile_is_told_and_gets_no_line(entered_home, entry):

    def meddle(region, done, total):
        (entry / "summary.json").write_bytes((entry / "summary.json").read_bytes() + b" ")

    with pytest.raises(EdgeBenchError, match="changed while it was verified"):
        verify(entry, episodes=1, on_episode=meddle)
    assert last_line(entered_home).what in ("added", "replaced")


def test_what_is_no_run_and_two_ways_to_say_how_many_are_told(run, entered_home, entry):
    for arguments, said in (
        ([entered_home / "nowhere"], "no such folder"),
        ([entered_home / "runs"], "manifest"),
        ([entry, "--all", "--episodes", "3"], "exclude each other"),
        ([entry, "--salt", "no-such-file-secret"], "the secret's file cannot be read"),
        ([entry, "--salt", "env:EDGEBENCH_NO_SUCH"], "the secret has 0 bytes"),
    ):
        found = run("verify", *arguments)
        assert found.exit_code == 2 and said in found.stderr
        assert "no-such-file-secret" not in found.output


@pytest.mark.parametrize(
    ("words", "address"),
    [([], ""), (["--ray"], "local"), (["--ray", "--episodes", "3"], "local"), (["--ray", "host:6379"], "host:6379")],
)
def test_ray_may_stand_without_an_address(tmp_path, words, address):
    with main.get_command(None, "verify").make_context("verify", [str(tmp_path), *words]) as context:
        assert context.params["ray_address"] == address
