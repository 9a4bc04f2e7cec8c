"""Learning through the command line: train, go on, evaluate the checkpoint, enter it, spread it, record and clone."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from edgebench.cli import main

SMALL = ("--regions", "s1", "--steps", "3000", "--set", "each=4", "--set", "minibatch=256")


def verb_in(folder, home):
    """Runs verbs in a folder, with the data of another."""

    def verb(*arguments, check=True):
        told = subprocess.run(
            [sys.executable, "-m", "edgebench.cli", *map(str, arguments)],
            capture_output=True, text=True, cwd=folder, check=False, env={**os.environ, "EDGEBENCH_HOME": str(home)},
        )  # fmt: skip
        assert not check or told.returncode == 0, told.stderr
        return told

    return verb


@pytest.fixture
def run(built_home, tmp_path):
    """Runs a verb in a folder of its own."""
    return verb_in(tmp_path, built_home)


@pytest.fixture(scope="module")
def trained(regions_home, tmp_path_factory):
    """The folder of two training runs and what was told of them."""
    folder = tmp_path_factory.mktemp("trained")
    told = verb_in(folder, regions_home)("train", "ppo", *SMALL, "--seeds", 2, "--out", "made", "--json")
    return folder / "made", json.loads(told.stdout)


def test_train_then_eval_on_a_region_it_has_not_seen(run, trained, tmp_path):
    made, told = trained
    assert [seed["seed"] for seed in told] == [0, 1]
    folder = made / "seed-0"
    assert {"checkpoint.json", "weights.safetensors", "curve.csv"} <= {path.name for path in folder.iterdir()}
    scored = json.loads(run("eval", folder, "--regions", "s4", "--seeds", 1, "--out", "run", "--json").stdout)
    assert scored["manifest"]["agent"]["kind"] == "checkpoint"
    assert scored["summary"]["total"]["statuses"]["ok"] == 4
    assert scored["summary"]["total"]["score"]["value"] > 0.2
    assert (tmp_path / "run" / "weights.safetensors").read_bytes() == (folder / "weights.safetensors").read_bytes()


def test_a_checkpoint_that_is_changed_or_of_another_track_is_refused(run, trained, tmp_path):
    folder = tmp_path / "changed"
    shutil.copytree(trained[0] / "seed-1", folder)
    wrong = run("eval", folder, "--track", "allocate", "--regions", "s1", check=False)
    assert wrong.returncode == 2
    assert "--track route" in wrong.stderr
    (folder / "weights.safetensors").write_bytes(b"nothing")
    odd = run("eval", folder, "--regions", "s1", "--seeds", 1, "--out", "odd", check=False)
    assert odd.returncode == 2
    assert "not those of the record" in odd.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="signals differ on Windows")
def test_ctrl_c_keeps_what_was_learned(run, built_home, tmp_path):
    words = ("train", "ppo", "--regions", "s1", "--steps", "30000", "--set", "each=4", "--out", "made")
    process = subprocess.Popen(
        [sys.executable, "-m", "edgebench.cli", *words], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    record = tmp_path / "made" / "seed-0" / "checkpoint.json"
    limit = time.monotonic() + 60
    while not record.exists() and time.monotonic() < limit:
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130, told
    assert "goes on from there" in told
    assert (tmp_path / "made" / "seed-0" / "last.safetensors").is_file()


def test_unknown_names_are_refused_with_the_nearest(built_home):
    for words, told in (
        (("train", "pppo"), "did you mean 'ppo'?"),
        (("train", "ppo", "--without", "masq"), "unknown setting 'masq'"),
        (("train", "ppo", "--set", "clip"), "write name=value"),
        (("train", "ppo", "--face", "teem"), "did you mean 'team'?"),
    ):
        refused = CliRunner().invoke(main, [*words, "--regions", "s1"])
        assert refused.exit_code == 2
        assert told in refused.stderr


def test_recorded_trajectories_are_those_of_the_agent(run, tmp_path, monkeypatch):
    minari = pytest.importorskip("minari")
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path / "minari"))
    told = json.loads(run("record", "nearest", "edgebench/nearest-v0", "--split", "val", "--json").stdout)
    assert told["episodes"] == 4
    again = run("record", "nearest", "edgebench/nearest-v0", "--split", "val", check=False)
    assert again.returncode == 2
    assert "there is such a dataset" in again.stderr
    kept = minari.load_dataset("edgebench/nearest-v0")
    for episode in kept.iterate_episodes():
        valid = episode.observations["action_mask"][:-1]
        assert (valid[range(len(episode.actions)), episode.actions] == 1).all()
        assert episode.terminations[-1]
        assert not episode.terminations[:-1].any()


def test_where_torch_is_missing_the_verbs_say_how_to_get_it(built_home, tmp_path):
    checkpoint = Path(__file__).parents[2] / "reference_agents" / "trained" / "route" / "ppo"
    code = "import sys; sys.modules['torch'] = None; from edgebench.cli import main; main(prog_name='edgebench')"
    for words in (("train", "ppo"), ("reproduce", "--rows", "ppo"), ("eval", checkpoint, "--regions", "s1")):
        told = subprocess.run(
            [sys.executable, "-c", code, *map(str, words)], capture_output=True, text=True, cwd=tmp_path, check=False
        )
        assert told.returncode == 2
        assert told.stderr == 'error: learning needs torch\n  mend: pip install "edgebench[agents]"\n'
    assert not list(tmp_path.iterdir())
