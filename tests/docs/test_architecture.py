"""Data goes one way: what modules import is what docs/architecture.py allows, and its picture shows it."""

import importlib
from pathlib import Path

import networkx
import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture(scope="module")
def architecture():
    """docs/architecture.py as a module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(DOCS))
        return importlib.import_module("architecture")


@pytest.fixture(scope="module")
def imports(architecture):
    """Who imports whom when it is loaded."""
    return architecture.read_imports()


def test_no_module_imports_back(architecture, imports):
    assert architecture.forbidden(imports) == []


def test_an_import_back_is_found(architecture, imports):
    back = {**imports, "edgebench.sim.paths": {"edgebench.harness.run"}}
    assert architecture.forbidden(back) == ["edgebench.sim.paths (simulator) imports edgebench.harness.run (harness)"]


def test_what_the_stages_allow_is_one_way(architecture):
    allowed = networkx.DiGraph((stage.name, other) for stage in architecture.STAGES for other in stage.uses)
    assert networkx.is_directed_acyclic_graph(allowed)
    assert "faces" not in {other for stage in architecture.STAGES for other in stage.uses}


def test_no_modules_import_each_other(imports):
    graph = networkx.DiGraph((module, other) for module, others in imports.items() for other in others)
    assert len(graph) > 300
    assert networkx.is_directed_acyclic_graph(graph)


def test_builders_and_agents_are_imported_within_verbs_alone(architecture):
    for module, others in architecture.read_imports(deferred=True).items():
        outside = {other for other in others if other.partition(".")[0] in ("builders", "reference_agents")}
        if module.startswith("edgebench.") and not module.startswith("edgebench.cli.verb_"):
            assert not outside, module


def test_the_simulator_knows_no_more_than_the_constants(imports):
    for module, others in imports.items():
        if module.startswith("edgebench.sim."):
            assert {other for other in others if not other.startswith("edgebench.sim")} <= {"edgebench.constants"}


def test_the_picture_is_that_of_the_sources(architecture, imports):
    drawn = (DOCS / "images" / "architecture.svg").read_text(encoding="utf-8")
    assert drawn == architecture.picture(imports), "python docs/architecture.py docs/images/architecture.svg"
