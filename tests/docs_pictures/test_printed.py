"""Pages print what they say that they print: a block of Python with a block of text right below it."""

import contextlib
import io
import re
from pathlib import Path

import pytest

from edgebench.harness import statistics

DOCS = Path(__file__).parents[2] / "docs"
BLOCK = re.compile(r"```python\n(.*?)```\n\n```text\n(.*?)```", re.DOTALL)


@pytest.mark.parametrize("page, least", [("statistics.md", 15), ("earlier_systems.md", 2)])
def test_a_block_prints_what_stands_below_it(page, least):
    blocks = BLOCK.findall((DOCS / page).read_text(encoding="utf-8"))
    names = {}
    for code, expected in blocks:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(code, page, "exec"), names)
        assert printed.getvalue() == expected, code
    assert len(blocks) >= least


def test_every_public_function_of_the_statistics_is_explained():
    page = (DOCS / "statistics.md").read_text(encoding="utf-8")
    module = Path(statistics.__file__).read_text(encoding="utf-8")
    functions = re.findall(r"^def ([a-z]\w*)", module, re.MULTILINE)
    assert [name for name in functions if f"`{name}`" not in page] == []
