import sys

import numpy as np
import pytest
from harness_toy import HEALTHY

from edgebench.errors import EdgeBenchError
from edgebench.harness.agents import AgentSource
from edgebench.harness.process import NOT_AGAIN, AgentFailure, AgentProcess, Budgets

OBSERVATION = {"candidates": np.zeros((4, 32), np.float32), "action_mask": np.ones(32, np.int8)}
INFO = {"node": 3, "instances": np.arange(32, dtype=np.int32)}
RESET = {"seed": 5, "region": "toy", "topology": {"nodes.compute": np.arange(4)}}
SHORT = Budgets(decision_cpu_s=0.3, decision_wall_s=0.6, startup_wall_s=20.0)


def decide(source, budgets=SHORT, times=1):
    with AgentProcess(source, budgets) as process:
        process.reset(RESET)
        return [process.act(OBSERVATION, INFO).action for _ in range(times)]


WRITE = """
def write(fd):
    try:
        os.write(fd, b"x" * 500)
    except OSError as error:
        print(error)
"""


def acting(statement):
    return f"import os, sys, time\ndef act(observation, info):\n    {statement}\n    return 7\n"


def test_an_agent_is_told_of_the_episode_and_asked(agent_source):
    source = agent_source("""
        class Agent:
            def reset(self, info):
                self.seed = info["seed"] + int(info["topology"]["nodes.compute"].sum())
            def act(self, observation):
                self.seed += 1
                return self.seed
    """)
    assert decide(source, times=3) == [12, 13, 14]


def test_a_function_gets_the_info(agent_source):
    assert decide(
        agent_source("def act(observation, info):\n    return info['node'] + observation['action_mask'][0]\n")
    ) == [4]


def test_a_class_may_ask_for_the_info_and_needs_no_reset(agent_source):
    source = agent_source("class Agent:\n    def act(self, observation, info):\n        return info['instances'][9]\n")
    assert decide(source) == [9]


def test_packages_and_reference_agents_load(tmp_path, monkeypatch, agent_file):
    from edgebench.harness.agents import resolve_agent

    agent_file(HEALTHY, "from_here.py")
    monkeypatch.chdir(tmp_path)
    assert decide(resolve_agent("from_here:Agent")) == [31]


@pytest.mark.parametrize(
    "answer", ["7", "np.int64(7)", "np.int8(7)", "np.array(7)", "np.array([7])", "np.zeros(1, np.uint8) + 7"]
)
def test_integers_are_actions(agent_source, answer):
    assert decide(agent_source(f"import numpy as np\ndef act(observation, info):\n    return {answer}\n")) == [7]


@pytest.mark.parametrize(
    "answer",
    [
        *("float('nan')", "7.0", "'7'", "None", "True", "[7]", "b'7'", "lambda: 7", "10**30", "10**9000"),
        *("np.bool_(True)", "np.float32(1)", "np.array([7.0])", "np.array([1, 2])", "np.array([[7]])"),
        "np.array([True])",
    ],
)
def test_anything_else_is_invalid(agent_source, answer):
    with pytest.raises(AgentFailure, match=r"wrong type|64 bits") as caught:
        decide(agent_source(f"import numpy as np\ndef act(observation, info):\n    return {answer}\n"))
    assert caught.value.status == "invalid"


@pytest.mark.parametrize(
    ("code", "detail"),
    [
        ("raise ValueError('at import')\ndef act(observation, info):\n    return 0\n", r"ValueError: at import .*:1"),
        ("import no_such_module\ndef act(observation, info):\n    return 0\n", "ModuleNotFoundError"),
        (HEALTHY.replace("def reset(self, info):", "def __init__(self): 1/0\n    def reset(self, info):"), "ZeroDiv"),
        (HEALTHY.replace("self.info = info", "raise KeyError('in reset')"), "KeyError: 'in reset'"),
        (acting("raise ValueError('in act')"), r"ValueError: in act \(my_agent.py:3\)"),
        (acting("raise ValueError('é' * 5000 + chr(0) + chr(10))"), "ValueError: "),
        (acting("sys.exit(3)"), "SystemExit: 3"),
        (acting("os._exit(3)"), "ended with exit status 3"),
        (acting("os.kill(os.getpid(), 9)"), "process ended"),
        (acting("os.closerange(3, 50)"), "process ended|malformed|took longer"),
        (acting("[write(fd) for fd in range(3, 9)]") + WRITE, "malformed"),
        (acting("raise KeyboardInterrupt"), "KeyboardInterrupt"),
    ],
    ids=range(12),
)
def test_a_crash_is_an_error_with_one_line(agent_source, code, detail):
    with pytest.raises(AgentFailure, match=detail) as caught:
        decide(agent_source(code))
    assert caught.value.status == "error"
    assert "\n" not in caught.value.detail and len(caught.value.detail) <= 480


def test_the_traceback_is_kept(agent_source):
    with pytest.raises(AgentFailure) as caught:
        decide(agent_source(acting("raise ValueError('in act')")))
    assert "Traceback" in caught.value.log and "line 3" in caught.value.log


@pytest.mark.parametrize(
    ("statement", "detail"),
    [
        ("time.sleep(1e6)", "act took longer than 0.6 s"),
        ("while True: pass", "act took longer than 0.6 s"),
        ("os.kill(os.getpid(), 19)", "act took longer"),
    ],
)
def test_too_long_is_a_timeout(agent_source, statement, detail):
    with pytest.raises(AgentFailure, match=detail) as caught:
        decide(agent_source(acting(statement)))
    assert caught.value.status == "timeout"


@pytest.mark.parametrize("lie", ["", "time.process_time_ns = lambda: 0"])
def test_cpu_time_is_measured_whatever_the_agent_says(agent_source, lie):
    code = f"t = time.process_time()\n    while time.process_time() < t + 0.4: pass\n    {lie}"
    with pytest.raises(AgentFailure, match=r"CPU time, the budget is 0\.3 s") as caught:
        decide(agent_source(acting(code)), Budgets(decision_cpu_s=0.3, decision_wall_s=30.0))
    assert caught.value.status == "timeout"


@pytest.mark.parametrize("where", ["module", "reset"])
def test_start_up_has_its_own_allowance(agent_source, where):
    sleep = "time.sleep(1e6)\n"
    code = f"import time\n{sleep if where == 'module' else ''}class Agent:\n    def reset(self, info):\n        {sleep}"
    source = agent_source(code + "    def act(self, seen):\n        return 0\n")
    budgets = Budgets(startup_wall_s=0.2 if where == "module" else 3.0)
    with pytest.raises(AgentFailure, match="took longer") as caught:
        decide(source, budgets)
    assert caught.value.status == "timeout"


def test_a_talkative_agent_is_neither_blocked_nor_kept(agent_source):
    talk = "print('x' * 2**20); sys.stderr.write('y' * 2**20); os.write(1, b'z' * 2**20)"
    assert decide(agent_source(acting(talk)), Budgets(), times=3) == [7, 7, 7]
    with pytest.raises(AgentFailure) as caught:
        decide(agent_source(acting(f"{talk}; raise ValueError")), Budgets())
    assert len(caught.value.log) <= 8192 and "ValueError" in caught.value.log


def test_an_agent_cannot_read_the_messages(agent_source):
    assert decide(agent_source(acting("assert sys.stdin.read() == ''")), times=2) == [7, 7]


def test_a_forked_copy_has_no_say(agent_source):
    assert decide(agent_source(acting("os.fork()")), times=5) == [7] * 5


def test_a_copy_that_answers_too_is_an_error(agent_source):
    source = agent_source("""
        import os
        os.getpid = lambda: 0
        def act(observation, info):
            os.fork()
            return 7
    """)
    with pytest.raises(AgentFailure) as caught:
        decide(source, times=20)
    assert caught.value.status == "error"


@pytest.mark.parametrize("failure", ["raise ValueError('at import')", "import os; os._exit(0)"])
def test_an_agent_that_cannot_start_is_tried_twice_and_given_up(agent_source, monkeypatch, failure):
    from edgebench.harness import process as module

    started = []
    child = module.Child
    monkeypatch.setattr(module, "Child", lambda *arguments: started.append(arguments) or child(*arguments))
    source = agent_source(f"{failure}\ndef act(observation, info):\n    return 0\n")
    with AgentProcess(source, SHORT) as process:
        for _ in range(5):
            with pytest.raises(AgentFailure) as caught:
                process.reset(RESET)
            assert caught.value.status == "error"
    assert len(started) == 2 and caught.value.detail.startswith(NOT_AGAIN)


def test_after_a_failure_the_next_episode_gets_a_fresh_process(agent_source):
    source = agent_source("""
        class Agent:
            asked = 0
            def act(self, observation):
                self.asked += 1
                assert self.asked < 3
                return self.asked
    """)
    with AgentProcess(source, SHORT) as process:
        for _ in range(2):
            process.reset(RESET)
            assert [process.act(OBSERVATION, INFO).action for _ in range(2)] == [1, 2]
            with pytest.raises(AgentFailure, match="AssertionError"):
                process.act(OBSERVATION, INFO)


def test_a_file_changed_meanwhile_is_refused(agent_file):
    from edgebench.harness.agents import resolve_agent

    source = resolve_agent(str(agent_file(HEALTHY)))
    agent_file(HEALTHY + "\n# changed\n")
    with pytest.raises(AgentFailure, match="was changed while the run"):
        decide(source)


def test_a_decision_comes_with_its_cpu_time(agent_source):
    code = "t = time.process_time()\n    while time.process_time() < t + 0.05: pass"
    with AgentProcess(agent_source(acting(code)), Budgets()) as process:
        process.reset(RESET)
        assert 50.0 <= process.act(OBSERVATION, INFO).cpu_ms < 1000.0


def test_libraries_get_one_thread(agent_source):
    assert decide(agent_source(acting("assert os.environ['OMP_NUM_THREADS'] == '1'"))) == [7]


def test_act_before_reset_is_the_callers_mistake(agent_source):
    with AgentProcess(agent_source(HEALTHY)) as process, pytest.raises(RuntimeError):
        process.act(OBSERVATION, INFO)


def test_a_checkpoint_is_not_blamed_for_a_machine_without_torch(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(EdgeBenchError, match="learning needs torch"):
        AgentProcess(AgentSource("checkpoint", "/nowhere", "ppo", ""))
