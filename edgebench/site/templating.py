"""Templates: everything that is put into them is escaped, and nothing they lack passes for empty."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from edgebench import __version__
from edgebench.leaderboard.page import cell_of
from edgebench.site import links
from edgebench.site.inert import script_json, visible_lines
from edgebench.site.status import MEANINGS

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES: Final = Path(__file__).with_name("templates")


@cache
def environment() -> Environment:
    """The templates of the site and of reports."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    def shown(value: Any) -> Any:
        return visible_lines(value) if isinstance(value, str) and not isinstance(value, Markup) else value

    found = Environment(
        loader=FileSystemLoader(TEMPLATES, encoding="utf-8"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True, finalize=shown,
    )  # fmt: skip
    found.filters |= {
        "score": lambda value: f"{value:z.3f}",
        "chance": lambda value: f"{value:.2f}",
        "exact": lambda value: f"{value:.9g}",
        "cell": cell_of,
        "embed": lambda value: Markup(script_json(value)),
    }
    found.globals |= {"links": links, "version": __version__, "meanings": MEANINGS}
    return found


def render(template: str, place: str, **values: Any) -> str:
    """A page at `place`, a path below the site's root, which its links start from."""
    return environment().get_template(template).render(root=links.root_of(place), **values)
