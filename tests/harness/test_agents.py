import hashlib
import importlib.metadata
import sys

import pytest

from edgebench.errors import EdgeBenchError
from edgebench.harness.agents import reference_agents, resolve_agent

CLASS = "class Agent:\n    def act(self, observation):\n        return 0\n"


def test_a_file_is_found_and_hashed(agent_file):
    path = agent_file(CLASS)
    source = resolve_agent(str(path))
    assert (source.kind, source.target, source.name) == ("file", str(path), "my_agent")
    assert source.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("code", ["def act(observation, info):\n    return 0\n", "from elsewhere import Agent\n"])
def test_a_function_or_an_imported_class_is_an_agent(agent_file, code):
    assert resolve_agent(str(agent_file(code))).kind == "file"


def test_nothing_of_the_file_is_run(agent_file):
    assert resolve_agent(str(agent_file("raise SystemExit(3)\n" + CLASS))).kind == "file"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("class Agent:\n    def act(self:\n", r"syntax error[\s\S]*my_agent.py:2"),
        ("class Agnet:\n    pass\n", "no class Agent or def act"),
        ("class Agent:\n    pass\n", "no method act in class Agent"),
        ("", "no class Agent"),
        ("x = '\0'", "syntax error|cannot be read"),
    ],
)
def test_a_file_without_an_agent_is_refused(agent_file, code, message):
    with pytest.raises(EdgeBenchError, match=message):
        resolve_agent(str(agent_file(code)))


@pytest.mark.parametrize("name", ["missing.py", "folder/missing", "."])
def test_a_missing_file_is_refused(name):
    with pytest.raises(EdgeBenchError, match=r"no such agent file|unknown agent"):
        resolve_agent(name)


def test_every_reference_agent_resolves():
    assert reference_agents("reference_agents.route")
    for name, path in reference_agents("reference_agents.route").items():
        source = resolve_agent(name)
        assert (source.kind, source.name, len(source.sha256)) == ("reference", name, 64)
        assert source.target.startswith(f"reference_agents.route.{path.stem}:")


def test_an_unknown_name_suggests_the_nearest():
    with pytest.raises(EdgeBenchError, match="did you mean 'random-valid'"):
        resolve_agent("randomvalid")


def test_a_trained_agent_that_is_named_is_found_by_its_folder():
    with pytest.raises(EdgeBenchError, match="the folder of its checkpoint: ") as refused:
        resolve_agent("es-x10", "offload")
    folder = refused.value.mend.rpartition(": ")[2]
    assert resolve_agent(folder, "offload").kind == "checkpoint"


def test_a_package_is_found_without_importing_it(tmp_path, monkeypatch):
    inner = tmp_path / "pack_of_agents" / "inner"
    inner.mkdir(parents=True)
    (inner.parent / "__init__.py").write_text("raise RuntimeError", encoding="utf-8")
    (inner / "__init__.py").write_text("raise RuntimeError", encoding="utf-8")
    (inner / "clever.py").write_text(CLASS.replace("Agent", "Clever"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    source = resolve_agent("pack_of_agents.inner.clever:Clever")
    assert (source.kind, source.name) == ("package", "pack_of_agents.inner.clever:Clever")
    assert "pack_of_agents" not in sys.modules


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("no_such_package:Agent", "no module"),
        ("json.no_such:Agent", "no module"),
        ("not a name:Agent", "no module"),
        ("sys:Agent", "no module"),
        ("json:Agent", "no class or function 'Agent'"),
        ("json.decoder:JSONDecodeError", None),
        (":Agent", "no module"),
    ],
)
def test_packages_without_the_agent_are_refused(spec, message):
    if message is None:
        assert resolve_agent(spec).kind == "package"  # it inherits, so it may have act
        return
    with pytest.raises(EdgeBenchError, match=message):
        resolve_agent(spec)


def test_an_entry_point_is_an_agent(monkeypatch):
    entry = importlib.metadata.EntryPoint("plugin", "reference_agents.route.random_valid:Agent", "edgebench.agents")
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda *, group: [entry])
    source = resolve_agent("plugin")
    assert (source.kind, source.target, source.name) == (
        "package",
        "reference_agents.route.random_valid:Agent",
        "plugin",
    )


def test_the_hash_of_a_reference_agent_covers_its_weights(tmp_path):
    from edgebench.harness.agents import reference_sha256

    agent, weights = tmp_path / "tuned.py", tmp_path / "tuned_weights.json"
    agent.write_text("def act(observation, info): return 0\n", encoding="utf-8")
    alone = reference_sha256(agent)
    weights.write_text("{}", encoding="utf-8")
    assert reference_sha256(agent) != alone
