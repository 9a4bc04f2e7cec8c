"""The way into an agent's process: give up everything the agent must not have, say what was given up, load the agent.

Started as `python -m edgebench.harness.sandbox ORDER`, ORDER a JSON object of `Order`. On Linux this process becomes
the keeper of two others. The *agent's process* runs foreign code, last and with the least rights; the *first process*
of its pid namespace does nothing, but when it ends the kernel ends all others there, however they hid. The keeper
ends with either, and all end when the harness kills the keeper:

    harness ── keeper ─┬─ first process of the pid namespace
                       └─ agent's process ── whatever it starts

No step is a condition of another and no step is a choice: each is tried, and the record says in words what came of it.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import NoReturn, Self

from edgebench.harness import namespaces
from edgebench.harness.limits import Limits, apply_limits

SANDBOXED = "sandboxed:"
"""How the record of a whole sandbox begins."""
_COVERED = ("/run", "/tmp/.X11-unix")
"""Folders of sockets: a read-only mount does not keep a process from talking to one."""
_SHARED_MEMORY = "/dev/shm"


@dataclass(frozen=True)
class Order:
    """What the harness wants of the sandbox.

    Attributes:
        limits: What the agent may take of the machine.
        folder: An empty working folder, the only one the agent can write to.
        hidden: Folders the agent must find empty.
        kept: A folder that stays writable, "" for none; for the machine code of agents that ship with EdgeBench.
        copied: Folders of machine code to copy to the working folder's `cache/`, each with its name there.
    """

    limits: Limits
    folder: str
    hidden: tuple[str, ...] = ()
    kept: str = ""
    copied: tuple[tuple[str, str], ...] = ()

    def text(self) -> str:
        """The order as the argument of a command line."""
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, text: str) -> Self:
        """The order that `text` tells."""
        fields = json.loads(text)
        limits = fields.pop("limits")
        limits["namespaces"] = tuple(limits["namespaces"])
        copied = tuple((source, name) for source, name in fields["copied"])
        return cls(Limits(**limits), fields["folder"], tuple(fields["hidden"]), fields["kept"], copied)


@dataclass
class Record:
    """What was given up (`has`) and what could not be, with the reason (`lacks`)."""

    has: list[str] = field(default_factory=list)
    lacks: list[str] = field(default_factory=list)

    def attempt(self, what: str, step: Callable[[], object]) -> bool:
        """Take `step`; a refusal of the system is noted, not raised. Returns whether it was taken."""
        try:
            step()
        except OSError as error:
            self.lacks.append(f"{what} ({error.strerror})")
            return False
        self.has.append(what)
        return True

    def words(self) -> str:
        """The record in one line that begins with `sandboxed:` or `unsandboxed:`."""
        has = "; ".join(self.has)
        return f"unsandboxed: without {', '.join(self.lacks)}; has {has}" if self.lacks else f"{SANDBOXED} {has}"


def main() -> None:
    """Follow the order, report, and answer the harness until it closes its end."""
    from edgebench.harness.worker import take_streams

    order = Order.read(sys.argv[1])
    inward, outward = take_streams()
    if sys.platform == "linux":
        _keep(order, inward, outward)
    record = Record(lacks=[f"the namespaces of Linux ({sys.platform})"])
    _copy_code(order)
    record.has.append(apply_limits(order.limits, own_user_namespace=False))
    _report(outward, os.getpid(), record)
    _serve(order, inward, outward)


def _keep(order: Order, inward: int, outward: int) -> NoReturn:
    """The keeper's life: build the sandbox, start the agent's process in it, end when that ends."""
    record = Record()
    first = _build(order, record)
    go, ready = os.pipe()
    agent = os.fork()
    if agent == 0:
        os.close(ready)
        namespaces.die_with_parent()
        namespaces.drop_privileges()
        os.setsid()
        os.read(go, 1)  # the record goes first
        os.close(go)
        _serve(order, inward, outward)
        sys.stdout.flush()
        os._exit(0)
    namespaces.hide_memory()
    _report(outward, agent, record)
    for fd in (inward, outward, go, ready):
        os.close(fd)
    code = os.waitstatus_to_exitcode(os.waitpid(agent, 0)[1])
    _end_rest(first)
    os._exit(code if code >= 0 else 128 - code)


def _build(order: Order, record: Record) -> int:
    """Take every step before the agent's process exists; returns the first process of its pid namespace or 0."""
    namespaces.die_with_parent()
    namespaces.adopt_orphans()
    namespaces.forbid_new_privileges()
    own = [name for name in order.limits.namespaces if record.attempt(name, partial(namespaces.own_namespace, name))]
    record.lacks += [f"{name} (not tried)" for name in namespaces.NAMESPACES if name not in order.limits.namespaces]
    record.has = [f"own {', '.join(own)} namespaces"] if own else []
    first = _first_process(order, record, own) if "pid" in own else 0
    if "mount" in own:
        _mounts(order, record)
    _copy_code(order)
    words = apply_limits(order.limits, own_user_namespace="user" in own)
    record.has += [words, "no new privileges"]
    return first


def _mounts(order: Order, record: Record) -> None:
    record.attempt("files read-only", namespaces.mount_everything_read_only)
    size = order.limits.disk_mb
    room = size + _size_mb(order.copied)
    if record.attempt(f"{size} MB to write", lambda: namespaces.mount_in_memory(order.folder, room)):
        namespaces.mount_also_at(order.folder, _SHARED_MEMORY)
    if order.kept:
        record.attempt("compiled code kept", lambda: namespaces.mount_writable(order.kept))
    record.attempt("region data hidden", lambda: _cover((*order.hidden, *_COVERED)))


def _cover(folders: tuple[str, ...]) -> None:
    for folder in folders:
        if Path(folder).is_dir():
            namespaces.mount_nothing(folder)


def _first_process(order: Order, record: Record, own: list[str]) -> int:
    """Start process 1 of the pid namespace; it takes the steps that only a process within can take."""
    listen, tell = os.pipe()
    first = os.fork()
    if first == 0:
        os.close(listen)
        within = Record()
        if "mount" in own and within.attempt("own /proc", namespaces.mount_proc) and os.getuid() == 0:
            most = order.limits.processes
            within.attempt("301 process numbers", lambda: namespaces.limit_process_numbers(most))
        os.write(tell, json.dumps(asdict(within)).encode())
        _do_nothing()
    os.close(tell)
    with os.fdopen(listen, "rb") as told:
        within = Record(**json.loads(told.read()))
    record.has += within.has
    record.lacks += within.lacks
    return first


def _do_nothing() -> NoReturn:
    """Wait, without any right or open file, for the keeper's end; children that come by are buried by the kernel."""
    namespaces.die_with_parent()
    namespaces.drop_privileges()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    os.closerange(0, 256)
    while True:
        signal.pause()


def _end_rest(first: int) -> None:
    """End what the agent's process left behind."""
    from edgebench.harness.processes import end_descendants

    if first:
        os.kill(first, signal.SIGKILL)
        os.waitpid(first, 0)  # it is over only when all in its namespace are
    else:
        end_descendants(os.getpid())


def _report(outward: int, pid: int, record: Record) -> None:
    from edgebench.harness.wire import DONE, Reply, pack_reply

    os.write(outward, pack_reply(Reply(0, DONE, action=pid, detail=record.words())))


def _serve(order: Order, inward: int, outward: int) -> None:
    from edgebench.harness.worker import serve

    os.chdir(order.folder)
    serve(inward, outward)


def _size_mb(copied: tuple[tuple[str, str], ...]) -> int:
    """Room for the code to copy, and as much again for what the harness compiles meanwhile."""
    files = [file for source, _ in copied for file in Path(source).rglob("*") if file.is_file()]
    return 2 * sum(map(_size, files)) // 2**20 + 1


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0  # replaced by the harness since it was listed


def _copy_code(order: Order) -> None:
    """Before the limits hold: what EdgeBench itself lays there is not the agent's."""
    for source, name in order.copied:
        if Path(source).is_dir():
            shutil.copytree(source, Path(order.folder, "cache", name), copy_function=_copy)


def _copy(source: str, target: str) -> None:
    try:
        shutil.copyfile(source, target)
    except FileNotFoundError:
        return  # the harness has compiled something and replaced it meanwhile


if __name__ == "__main__":
    main()
