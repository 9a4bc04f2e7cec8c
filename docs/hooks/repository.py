"""Links that leave docs/: what they lead to is given a page of the site below repository/, as deep as links go.

So a page reads the same in the repository and on the site, and the site needs no address of the repository.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT: Final = Path(__file__).resolve().parents[2]
FOLDER: Final = "repository"
LANGUAGES: Final = {".py": "python", ".toml": "toml", ".sh": "bash", ".json": "json", ".txt": "text", "": "text"}
"""Files shown as a page; what has another suffix is handed on as it is."""
_TARGET: Final = re.compile(r"(?<=\]\()(?!\w+:)([^)\s#]+)")
"""Of a link or picture, without its anchor; addresses of the web are left out."""
_UNSEARCHED: Final = "---\nsearch:\n  exclude: true\n---\n\n"

_places: Final[dict[str, str]] = {}
"""Where in the repository a page comes from that lies outside docs/, by its place within the site; folders end in /."""


def on_files(files: Files, config: MkDocsConfig) -> None:
    """Add what the pages link to outside docs/, and what that links to."""
    _places.clear()
    waiting = [(f"docs/{file.src_uri}", file.content_string) for file in files.documentation_pages()]
    while waiting:
        for place in _outside(*waiting.pop()):
            uri = _uri(place)
            if uri not in _places:
                _places[uri] = f"{place}/" if (ROOT / place).is_dir() else place
                file, text = _file(place, uri, config)
                files.append(file)
                waiting.append((_places[uri], text))


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Point the links that leave docs/ to the pages made of their targets."""
    uri = page.file.src_uri
    here = _places.get(uri, f"docs/{uri}")

    def pointed(match: re.Match[str]) -> str:
        place = _resolved(match[1], here)
        return posixpath.relpath(_uri(place), posixpath.dirname(uri)) if _is_there(place) else match[1]

    return _TARGET.sub(pointed, markdown)


def _outside(here: str, text: str) -> Iterator[str]:
    for target in _TARGET.findall(text):
        place = _resolved(target, here)
        if not place.startswith("docs/") and _is_there(place):
            yield place


def _is_there(place: str) -> bool:
    """Whether the repository has it; what lies outside is left to MkDocs to complain of."""
    return not place.startswith("..") and (ROOT / place).exists()


def _resolved(target: str, here: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(here), target))


def _uri(place: str) -> str:
    """Where the page of a file or folder of the repository lies within the site."""
    if place.startswith("docs/"):
        return place.removeprefix("docs/")
    if (ROOT / place).is_dir():
        return f"{FOLDER}/{place}/index.md"
    shown = Path(place).suffix in LANGUAGES
    return f"{FOLDER}/{place}.md" if shown else f"{FOLDER}/{place}"


def _file(place: str, uri: str, config: MkDocsConfig) -> tuple[File, str]:
    """What stands at `place` as a file of the site, and its Markdown where it is a page."""
    path = ROOT / place
    if not uri.endswith(".md"):
        return File.generated(config, uri, abs_src_path=str(path)), ""
    text = _listing(path) if path.is_dir() else path.read_text(encoding="utf-8")
    if not path.is_dir() and path.suffix != ".md":
        text = f"# {place}\n\n~~~~{LANGUAGES[path.suffix]}\n{text}~~~~\n"
    return File.generated(config, uri, content=_UNSEARCHED + text), text


def _listing(folder: Path) -> str:
    names = [path.name for path in sorted(folder.iterdir()) if not path.name.startswith(("_", "."))]
    return "\n".join([f"# {folder.relative_to(ROOT).as_posix()}", "", *(f"- [{name}]({name})" for name in names)])
