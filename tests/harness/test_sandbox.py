import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hostile_trial import AGENTS, LIMITS, attempt

from edgebench.harness import child, tampering
from edgebench.harness.limits import Limits
from edgebench.harness.process import AgentFailure, AgentProcess, Budgets
from edgebench.harness.sandbox import Order, Record
from edgebench.sim import compiled

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is Linux's")

WITHOUT_NAMESPACES = replace(LIMITS, namespaces=())
STILL_CONTAINED = [
    *("answers_before_it_is_asked", "daemonises", "fails_to_start", "ignores_signals", "imports_a_lying_clock"),
    "lies_about_time",
    *("reads_the_environment", "sends_a_huge_message", "sleeps", "stops_itself", "writes_an_endless_file"),
    *("reads_parent_memory", "allocates_without_end", "prints_without_end"),
]
ASK = "import os\ndef act(observation, info):\n    return {}\n"


def ask(source, limits=LIMITS, budgets=None):
    with AgentProcess(source, budgets, limits) as process:
        process.reset({"seed": 1})
        return process.act({"action_mask": np.ones(3, np.int8)}, {}).action, process


@pytest.mark.parametrize("agent", AGENTS, ids=lambda agent: agent.stem)
def test_a_hostile_agent_is_refused_or_contained(agent, tmp_path):
    trial = attempt(agent, tmp_path)
    if trial.problems and not trial.sandbox.startswith("sandboxed:"):
        pytest.skip(trial.sandbox)
    assert trial.problems == []


@pytest.mark.parametrize("agent", [path for path in AGENTS if path.stem in STILL_CONTAINED], ids=lambda path: path.stem)
def test_without_namespaces_less_is_refused_but_the_run_goes_on(agent, tmp_path):
    trial = attempt(agent, tmp_path, WITHOUT_NAMESPACES)
    assert "unsandboxed: without user (not tried), network (not tried)" in trial.sandbox
    assert trial.problems == []


def test_the_working_folder_is_the_agents_alone_and_goes_with_it(agent_source):
    code = ASK.format("int(os.getcwd() == os.environ['HOME'] and os.listdir() in ([], ['cache']))")
    for limits in (LIMITS, WITHOUT_NAMESPACES):
        action, process = ask(agent_source(code), limits)
        assert action == 1 and not Path(process.folder).exists()


def test_a_folder_the_agent_has_shut_is_removed_too(agent_source):
    code = ASK.format("os.makedirs('a/b') or os.chmod('a', 0) or 5")
    action, process = ask(agent_source(code), WITHOUT_NAMESPACES)
    assert action == 5 and not Path(process.folder).exists()


def test_removing_the_folder_touches_nothing_it_links_to(agent_source, tmp_path):
    other = tmp_path / "other"
    other.mkdir(mode=0o755)
    (other / "file").write_text("x", encoding="utf-8")
    code = ASK.format(f"os.symlink({str(other)!r}, 'a') or 5")
    assert ask(agent_source(code), WITHOUT_NAMESPACES)[0] == 5
    assert (other / "file").exists() and other.stat().st_mode & 0o777 == 0o755


def test_the_environment_holds_only_what_is_needed(agent_source, monkeypatch):
    monkeypatch.setenv("EDGEBENCH_SECRET", "x")
    assert (
        ask(agent_source(ASK.format("len([n for n in os.environ if 'SECRET' in n or n in ('PATH', 'USER')])")))[0] == 0
    )


def test_python_can_still_do_what_agents_need(agent_source):
    code = """
        import os, subprocess, sys, tempfile, threading
        import numpy as np
        def act(observation, info):
            with tempfile.TemporaryFile() as file:
                file.write(b"kept")
            thread = threading.Thread(target=lambda: np.ones((50, 50)) @ np.ones((50, 50)))
            thread.start()
            thread.join()
            with open("/dev/null", "w") as nowhere:
                nowhere.write("x")
            return len(os.urandom(3)) + subprocess.run([sys.executable, "-c", "raise SystemExit(4)"]).returncode
    """
    assert ask(agent_source(code))[0] == 7


def test_a_tampered_package_is_noticed_where_it_could_not_be_shut(agent_source, monkeypatch):
    digests = iter("ab")
    monkeypatch.setattr(child, "package_sha256", lambda: next(digests))
    _, process = ask(agent_source(ASK.format(1)), WITHOUT_NAMESPACES)
    assert process.sandbox.startswith("tampered with: the installed package was changed during the run; unsandboxed")


def test_the_digest_is_that_of_every_module(tmp_path, monkeypatch):
    (tmp_path / "harness").mkdir()
    monkeypatch.setattr(tampering.edgebench, "__file__", str(tmp_path / "__init__.py"))
    seen = set()
    for name, text in (("__init__.py", ""), ("harness/a.py", "x"), ("harness/a.py", "y"), ("harness/b.toml", "")):
        (tmp_path / name).write_text(text, encoding="utf-8")
        seen.add(tampering.package_sha256())
    assert len(seen) == 4


def test_a_copy_of_the_code_that_the_harness_compiled_is_the_agents_to_use(agent_source):
    pytest.importorskip("edgebench.sim.compiled")
    code = """
        import os
        from pathlib import Path
        from edgebench.sim.compiled import all_code
        def act(observation, info):
            copies = list((Path.cwd() / "cache" / "edgebench" / "compiled").iterdir())
            (copies[0] / "mine").write_text("x")
            return len(copies) + all_code().is_relative_to(Path.cwd())
    """
    assert ask(agent_source(code), Limits())[0] == 2


def test_a_limit_above_what_the_system_allows_is_lowered(agent_source):
    assert ask(agent_source(ASK.format(3)), replace(LIMITS, cpu_s=10**9))[0] == 3


def test_cpu_time_over_a_processs_life_is_limited(agent_source):
    code = "def act(observation, info):\n    while True: pass\n"
    with pytest.raises(AgentFailure, match="ended") as caught:
        ask(agent_source(code), replace(LIMITS, cpu_s=1), Budgets(decision_wall_s=60.0))
    assert caught.value.status == "error"


def test_an_order_is_read_as_it_was_written():
    order = Order(Limits(memory_mb=5), "/work", ("/a", "/b"), "/kept", (("/from", "to"),))
    assert Order.read(order.text()) == order


def test_a_record_says_what_was_refused_and_why():
    def refuse():
        raise PermissionError(1, "Operation not permitted")

    record = Record()
    assert record.attempt("network", lambda: None) and record.words() == "sandboxed: network"
    assert not record.attempt("pid", refuse)
    assert record.words() == "unsandboxed: without pid (Operation not permitted); has network"


def test_the_harness_code_takes_nothing_of_what_the_agent_may_write(agent_source, request, monkeypatch):
    code = compiled.all_code() / "large"
    request.addfinalizer(lambda: shutil.rmtree(code))
    code.mkdir(parents=True)
    (code / "machine.code").write_bytes(bytes(2 * LIMITS.disk_mb * 2**20))
    monkeypatch.setattr(compiled, "code_in_use", lambda: [code])
    for limits in (LIMITS, WITHOUT_NAMESPACES):
        action, _ = ask(agent_source(ASK.format("sum(len(files) for _, _, files in os.walk('cache'))")), limits)
        assert action == 1
