"""A local Ray cluster of two nodes: the same episodes and weights as in one process, a killed worker or not."""

import importlib.util
import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed"),
    pytest.mark.skipif(sys.platform == "win32", reason="clusters of Ray are for Linux"),
]
EVAL = ("eval", "nearest", "--regions", "s1,s2", "--seeds", "2", "--json", "--out")
RAY = str(Path(sys.executable).parent / "ray")


def start(*words):
    """A node that ends with its process, so that no other cluster of this machine is stopped."""
    return subprocess.Popen(
        [RAY, "start", "--block", "--num-cpus=1", "--object-store-memory=100000000", "--disable-usage-stats", *words],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip


def end(node):
    os.killpg(node.pid, signal.SIGTERM)
    try:
        node.wait(5)
    except subprocess.TimeoutExpired:
        os.killpg(node.pid, signal.SIGKILL)
        node.wait()


@pytest.fixture(scope="module")
def cluster(regions_home, tmp_path_factory):
    """The address of two nodes of one core each, which find the regions where this process does."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    address = f"127.0.0.1:{port}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGEBENCH_HOME", str(regions_home))
        patch.setenv("RAY_AUTH_MODE", "token")
        patch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))
        patch.setenv("RAY_TMPDIR", tempfile.mkdtemp(prefix="ray"))  # sockets want a short path, others their own
        head = ("--head", f"--port={port}", "--node-ip-address=127.0.0.1", "--include-dashboard=false")
        nodes = [start(*head)]
        try:
            wait_for_nodes(address, 1)
            nodes.append(start(f"--address={address}", "--node-ip-address=127.0.0.1"))
            wait_for_nodes(address, 2)
            yield address
        finally:
            for node in reversed(nodes):
                end(node)


def wait_for_nodes(address, nodes):
    limit = time.monotonic() + 180
    while time.monotonic() < limit:
        command = [RAY, "status", f"--address={address}"]
        told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60).stdout
        if len(re.findall(r"^ 1 node_", told, re.MULTILINE)) == nodes:
            return
        time.sleep(0.5)
    pytest.fail(f"{nodes} nodes did not come up")


@pytest.fixture(scope="module")
def verb(regions_home, tmp_path_factory):
    """Starts a verb in a folder of the module."""
    folder = tmp_path_factory.mktemp("ray")

    def run(*words):
        return subprocess.Popen(
            [sys.executable, "-m", "edgebench.cli", *map(str, words)], text=True, cwd=folder,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "EDGEBENCH_HOME": str(regions_home)},
        )  # fmt: skip

    run.folder = folder
    return run


def finished(process):
    out, err = process.communicate(timeout=180)
    assert process.returncode == 0, err
    return out


def rows(folder):
    """The episodes table without the time decisions took."""
    lines = (folder / "episodes.csv").read_text(encoding="utf-8").splitlines()
    column = lines[0].split(",").index("decision_cpu_ms")
    return [[cell for place, cell in enumerate(line.split(",")) if place != column] for line in lines]


@pytest.fixture(scope="module")
def spread(cluster, verb):
    """What an evaluation over two nodes tells."""
    return json.loads(finished(verb(*EVAL, "spread", "--ray", cluster)))


def test_evaluation_over_two_nodes_is_that_of_one_process(spread, verb):
    alone = json.loads(finished(verb(*EVAL, "alone")))
    assert rows(verb.folder / "spread") == rows(verb.folder / "alone")
    assert spread["summary"]["total"]["score"] == alone["summary"]["total"]["score"]
    assert spread["manifest"]["sandbox"]


def test_a_run_is_verified_over_two_nodes(cluster, spread, verb):
    found = json.loads(finished(verb("verify", "spread", "--all", "--ray", cluster, "--json")))
    assert (found["status"], found["checked"], found["mismatches"]) == ("verified", 16, [])


def test_a_worker_that_is_killed_changes_nothing(cluster, verb):
    words = ("train", "ppo", "--regions", "s1", "--steps", "6000", "--set", "each=4", "--seeds", "1", "--out")
    process = verb(*words, "learned", "--ray", cluster)
    began = verb.folder / "learned" / "seed-0" / "last.safetensors"
    limit = time.monotonic() + 120
    while not began.is_file() and time.monotonic() < limit:
        time.sleep(0.1)
    listed = subprocess.run(["pgrep", "-f", "ray::_do"], capture_output=True, text=True, check=False).stdout.split()
    assert listed, "no worker of Ray was found"
    os.kill(int(listed[0]), signal.SIGKILL)
    finished(process)
    finished(verb(*words, "learned-alone"))
    files = [verb.folder / place / "seed-0" / "weights.safetensors" for place in ("learned", "learned-alone")]
    assert files[0].read_bytes() == files[1].read_bytes()


def test_an_address_without_a_cluster_is_told(verb):
    process = verb("eval", "nearest", "--regions", "s1", "--seeds", "1", "--ray", "127.0.0.1:1", "--out", "x")
    _, told = process.communicate(timeout=180)
    assert process.returncode == 2, told
    assert "no Ray cluster" in told
