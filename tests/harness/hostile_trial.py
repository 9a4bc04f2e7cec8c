"""One hostile agent against the sandbox: an episode of the toy environment, and a look at what it left behind."""

import os
import secrets
import socket
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from harness_toy import FakeEnv, FakeRegion

from edgebench.harness.agents import resolve_agent
from edgebench.harness.episodes import Setting, run_episode
from edgebench.harness.limits import Limits
from edgebench.harness.process import AgentProcess, Budgets

AGENTS = sorted((Path(__file__).parent / "hostile").glob("*.py"))
BUDGETS = Budgets(decision_cpu_s=0.3, decision_wall_s=1.0, startup_wall_s=30.0)
LIMITS = Limits(memory_mb=512, processes=64, file_mb=4, disk_mb=32)
REFUSED = 1
"""The action of an agent whose attack came to nothing; 2 if it had what it wanted."""
ROWS = "region,utility\ntoy,0.1\n"


@dataclass
class Trial:
    """What came of it; `problems` is empty where the agent was contained."""

    status: str
    detail: str
    sandbox: str
    problems: list[str] = field(default_factory=list)


def expected(agent: Path) -> list[str]:
    """The statuses that mean contained, from the agent's first line."""
    return agent.read_text(encoding="utf-8").splitlines()[0].removeprefix("# expected: ").split()


def attempt(agent: Path, folder: Path, limits: Limits = LIMITS) -> Trial:
    """Let `agent` play one episode in `folder`, an empty one."""
    token = secrets.token_hex(16)
    run, regions, boards = folder / "run", folder / "home" / "processed", folder / "home" / "leaderboards"
    board = boards / "toy"
    for place in (run, regions, board):
        place.mkdir(parents=True)
    results = {run / "episodes.csv": ROWS, board / "episodes.csv": ROWS, boards / "LEDGER.md": "added\n"}
    for path, text in results.items():
        path.write_text(text, encoding="utf-8")
    (regions / "answers").write_text("7", encoding="utf-8")
    with _Listener(token) as listener, _environment(EDGEBENCH_HOME=str(folder / "home"), SECRET=token):
        places = {"RUN": run, "REGIONS": regions, "BOARDS": boards, "BOARD": board}
        words = {"HARNESS": os.getpid(), "PORT": listener.port, "TOKEN": token, **places}
        trial = _play(_written(agent, folder, words), limits)
        if trial.status not in expected(agent):
            trial.problems.append(f"status {trial.status}: {trial.detail}")
        if listener.called:
            trial.problems.append("it reached a listener")
    if {path: _read(path) for place in (run, boards) for path in place.rglob("*") if path.is_file()} != results:
        trial.problems.append("it changed the results")
    if _alive(token):
        trial.problems.append("it left a process behind")
    return trial


def _written(agent: Path, folder: Path, words: dict[str, object]) -> Path:
    text = agent.read_text(encoding="utf-8")
    for name, value in words.items():
        text = text.replace(f"@{name}@", str(value))
    path = folder / agent.name
    path.write_text(text, encoding="utf-8")
    return path


def _play(agent: Path, limits: Limits) -> Trial:
    with AgentProcess(resolve_agent(str(agent)), BUDGETS, limits) as process:
        setting = Setting(FakeRegion(), "route", "calm", "test")
        env = FakeEnv()
        result = run_episode(env, process, setting, window=0, seed=0)
        trial = Trial(result.status, result.detail, process.sandbox)
    if result.status == "ok" and set(env.actions) != {REFUSED}:
        trial.problems.append("it had what it wanted")
    if Path(process.folder).exists():
        trial.problems.append("its working folder is still there")
    return trial


def _alive(token: str, patience_s: float = 3.0) -> bool:
    """Whether a process still bears `token` in its command line."""
    end = time.monotonic() + patience_s
    while found := [path for path in Path("/proc").glob("[0-9]*/cmdline") if token in _read(path)]:
        if time.monotonic() > end:
            return bool(found)
        time.sleep(0.02)
    return False


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


class _environment:
    def __init__(self, **variables: str) -> None:
        self._variables = variables

    def __enter__(self) -> None:
        self._before = {name: os.environ.get(name) for name in self._variables}
        os.environ.update(self._variables)

    def __exit__(self, *_: object) -> None:
        for name, value in self._before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


class _Listener:
    """Sockets on this machine that wait to be called: TCP, UDP, and one with an abstract name."""

    def __init__(self, token: str) -> None:
        self.called = False
        self._sockets = [socket.create_server(("127.0.0.1", 0)), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)]
        self.port = self._sockets[0].getsockname()[1]
        self._sockets[1].bind(("127.0.0.1", self.port))
        self._sockets.append(socket.socket(socket.AF_UNIX))
        self._sockets[2].bind(f"\0{token}")
        self._sockets[2].listen()

    def __enter__(self) -> "_Listener":
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        for listening in self._sockets:
            listening.close()

    def _listen(self) -> None:
        import select

        while not self._over.is_set():
            self.called |= bool(select.select(self._sockets, [], [], 0.05)[0])
