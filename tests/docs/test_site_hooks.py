"""The hooks of the site of docs/: links that leave docs/ lead to pages of it, nothing is loaded from elsewhere."""

import importlib
from pathlib import Path
from types import SimpleNamespace

import pytest
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

HOOKS = Path(__file__).resolve().parents[2] / "docs" / "hooks"


@pytest.fixture(scope="module")
def hook():
    """A module of docs/hooks by name."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(HOOKS))
        yield importlib.import_module


@pytest.fixture
def config():
    """A configuration for files that are made up."""
    config = MkDocsConfig()
    config.load_dict({"site_name": "", "docs_dir": str(HOOKS.parent)})
    config.plugins = SimpleNamespace(_current_plugin="test")
    return config


def test_what_a_page_links_to_outside_docs_gets_a_page_and_so_on(hook, config):
    links = "[a](../reference_agents/route) [b](../leaderboards/LEDGER.md#x) [c](regions.md) [d](https://example.org)"
    files = Files([File.generated(config, "made_up.md", content=links)])
    repository = hook("repository")
    repository.on_files(files, config)
    made = set(files.src_uris)
    assert {
        "repository/reference_agents/route/index.md",
        "repository/reference_agents/route/nearest.py.md",
        "repository/leaderboards/LEDGER.md",
    } <= made
    assert not {uri for uri in made if "regions" in uri}
    for uri, text, wanted in (
        ("made_up.md", "[b](../leaderboards/LEDGER.md#x)", "[b](repository/leaderboards/LEDGER.md#x)"),
        ("repository/leaderboards/LEDGER.md", "[s](../docs/submitting.md)", "[s](../../submitting.md)"),
        ("repository/reference_agents/route/index.md", "[n](nearest.py)", "[n](nearest.py.md)"),
    ):
        page = SimpleNamespace(file=files.get_file_from_path(uri))
        assert repository.on_page_markdown(text, page, config, files) == wanted


@pytest.mark.parametrize(
    ("tag", "refused"),
    [
        ('<script src="https://example.org/a.js">', True),
        ("<img src=//example.org/a.png>", True),
        ('<link rel="stylesheet" href="https://example.org/a.css">', True),
        ('<link rel="canonical" href="https://example.org/">', False),
        ('<script src="assets/a.js">', False),
        ('<a href="https://example.org/">', False),
    ],
)
def test_a_page_that_loads_from_elsewhere_is_refused(hook, config, tag, refused):
    page = SimpleNamespace(file=SimpleNamespace(src_uri="made_up.md"))
    if refused:
        with pytest.raises(PluginError, match=r"made_up\.md loads from elsewhere"):
            hook("offline").on_post_page(f"<html>{tag}</html>", page, config)
    else:
        hook("offline").on_post_page(f"<html>{tag}</html>", page, config)
