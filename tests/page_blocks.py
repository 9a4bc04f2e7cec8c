"""The code blocks of a Markdown page, in order: what language, whether it is a file, whether it is to be run.

A block is run unless a comment stands before it, `<!-- not run: it needs a token -->`; a fence with a title,
`title="my_agent.py"`, is a file that later blocks use.
"""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

SHELL = ("", "sh")
"""Languages of blocks that hold commands; blocks that are indented have none."""
OUTPUT = ("text", "csv", "bibtex")
"""Languages of blocks that hold no code."""
_MARKER = re.compile(r"<!-- not run: (\S.*?) -->\s*")
_TITLE = re.compile(r'title="([^"]+)"')


@dataclass(frozen=True)
class Block:
    """A block of code on a page.

    Attributes:
        line: Its first line on the page, from 1.
        language: `python`, `toml` … or one of `SHELL`.
        title: The file it is, "" where it is none.
        text: The code.
        reason: Why it is not run, "" where it is.
    """

    line: int
    language: str
    title: str
    text: str
    reason: str


def code_blocks(page: Path) -> list[Block]:
    """All blocks of a page but those of `OUTPUT`.

    Raises:
        ValueError: A marker stands before anything else than a block of code.
    """
    found, reason = [], ""
    for token in MarkdownIt().parse(page.read_text(encoding="utf-8")):
        if token.type not in ("fence", "code_block"):
            if reason:
                raise ValueError(f"{page}: no block of code follows the marker: {reason}")
            marker = _MARKER.fullmatch(token.content) if token.type == "html_block" else None
            reason = marker[1] if marker else ""
            continue
        language, _, rest = token.info.partition(" ")
        if language not in OUTPUT:
            title = _TITLE.search(rest)
            found.append(Block(token.map[0] + 1, language, title[1] if title else "", token.content, reason))
        reason = ""
    if reason:
        raise ValueError(f"{page}: no block of code follows the marker: {reason}")
    return found


def commands(block: Block) -> Iterator[list[str]]:
    """The commands of a shell block as lists of words; comments are left out."""
    for line in block.text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        if words:
            yield words


def inline_commands(page: Path) -> Iterator[str]:
    """The commands of EdgeBench that stand within sentences."""
    for token in MarkdownIt().parse(page.read_text(encoding="utf-8")):
        for child in token.children or ():
            if child.type == "code_inline" and child.content.startswith("edgebench "):
                yield child.content
