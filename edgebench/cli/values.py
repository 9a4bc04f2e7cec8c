"""What arguments and options may be: types that complete in the shell and refuse what is wrong before a verb begins."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from click.shell_completion import CompletionItem

from edgebench import constants, registry
from edgebench.errors import EdgeBenchError, unknown_name
from edgebench.paths import home

if TYPE_CHECKING:
    _Text = click.ParamType[str]
else:
    _Text = click.ParamType  # not generic before click 8.4

Names = Callable[[click.Context], Iterable[str]]
"""Gives the names there are; the context holds the options that stand before."""


class Name(_Text):
    """A name that the shell completes; whether there is such a thing is for the verb to say.

    Args:
        kind: What bears the name.
        names: The names to offer.
        many: Whether several may be named, `s1,s2`.
        or_file: Whether a file's path can stand in its place.
    """

    def __init__(self, kind: str, names: Names, *, many: bool = False, or_file: bool = False) -> None:
        self.name = kind
        self._names, self._many, self._or_file = names, many, or_file

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        """`REGION`, or `REGIONS` where several may be named."""
        return f"{self.name}s".upper() if self._many else self.name.upper()

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """The names that begin as `incomplete` does; of several, the last one is completed."""
        head, comma, last = incomplete.rpartition(",") if self._many else ("", "", incomplete)
        files = [CompletionItem(incomplete, type="file")] if self._or_file else []
        found = [name for name in self._names(ctx) if name.startswith(last)]
        return [*files, *(CompletionItem(f"{head}{comma}{name}") for name in found)]


class Known(Name):
    """A name of a registry; one that is not there is refused with the nearest one.

    Args:
        kind: As of `Name`, and so are `names` and `many`.
        hint: What else might help, told behind the names.

    Attributes:
        known: Gives the names there are.
    """

    def __init__(self, kind: str, names: Callable[[], Iterable[str]], *, many: bool = False, hint: str = "") -> None:
        super().__init__(kind, lambda ctx: names(), many=many)
        self.known, self._hint = names, hint

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """`value` as it is; EdgeBenchError where it names nothing that there is."""
        known = list(self.known())
        for name in split_names(value, self.name) if self._many else [value]:
            if name not in known:
                error = unknown_name(self.name, name, known)
                raise EdgeBenchError(error.what, mend=f"{error.mend}; {self._hint}" if self._hint else error.mend)
        return str(value)


class OneOf(Known):
    """One of few names, all of them told in the help."""

    def __init__(self, kind: str, *names: str) -> None:
        super().__init__(kind, lambda: names)

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        """`[cpu|cuda]`, or `{cpu|cuda}` of an argument that must be there."""
        names, needed = "|".join(self.known()), param.required and isinstance(param, click.Argument)
        return f"{{{names}}}" if needed else f"[{names}]"


class Existing(click.Path):
    """The path of something to be read: it must be there."""

    def __init__(self, *, dir_okay: bool = True, file_okay: bool = True) -> None:
        super().__init__(path_type=Path, dir_okay=dir_okay, file_okay=file_okay)

    def convert(self, value: str | os.PathLike[str], param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """`value` as a path; EdgeBenchError where nothing is there."""
        path = Path(value if isinstance(value, str) else os.fspath(value))
        if path.suffix == ".py" and path.is_file() and not self.file_okay:
            mend = f"edgebench eval {path} --out FOLDER makes a run; name its folder here"
            raise EdgeBenchError("this is an agent, a run's folder is wanted", where=str(path), mend=mend)
        super().convert(value, param, ctx)
        if not path.exists():
            what = "file or folder" if self.dir_okay and self.file_okay else "file" if self.file_okay else "folder"
            raise EdgeBenchError(f"there is no such {what}", where=str(path), mend=_nearest(path))
        return path


class Finite(click.FloatRange):
    """A number within bounds, and neither infinite nor NaN, which no bound would hold back."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """`value` as a number."""
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is no finite number.", param, ctx)
        return number


class Count(Finite):
    """A whole number from 1, also written 1e6."""

    name = "count"

    def __init__(self) -> None:
        super().__init__(min=1)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """`value` as a whole number."""
        number = super().convert(value, param, ctx)
        if not number.is_integer():
            self.fail(f"{value} is no whole number.", param, ctx)
        return int(number)


def split_names(text: str, kind: str) -> list[str]:
    """The names in `s1,s2`, each once; EdgeBenchError where there is none."""
    wanted = list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if not wanted:
        raise EdgeBenchError(f"no {kind} named", where=repr(text), mend="name one, or several with commas between")
    return wanted


def _nearest(path: Path) -> str:
    """Where the way to `path` breaks off, and what of that place is called much the same."""
    import difflib

    place = next((parent for parent in path.absolute().parents if parent.is_dir()), None)
    if place is None:
        return f"there is no {path.absolute().anchor}"
    missing = path.absolute().relative_to(place).parts[0]
    near = difflib.get_close_matches(missing, [entry.name for entry in place.iterdir()], n=1)
    return f"did you mean {place / near[0]}?" if near else f"{place} has no {missing}"


def _regions() -> list[str]:
    return [*registry.REGISTERED, *registry.own_regions()]


def _agents(ctx: click.Context) -> Iterable[str]:
    from edgebench.harness.agents import reference_agents

    return reference_agents(registry.track(ctx.params.get("track") or registry.DEFAULT_TRACK).agents)


def _faces() -> set[str]:
    return {face for track in registry.TRACKS.values() for face in track.worlds}


def _methods() -> Iterable[str]:
    from edgebench.learning.methods import method_files

    return method_files()


def _tables() -> list[str]:
    from edgebench.reproduce.tables import TABLES

    return [*TABLES, *dict.fromkeys(table.track for table in TABLES.values())]


def _editions(ctx: click.Context) -> list[str]:
    built = (path.parent.parent.name for path in (home() / "processed").glob("*/*/manifest.json"))
    return sorted({registry.SAMPLE_EDITION, *built})


_OWN: Final = "a region of your own: edgebench build --spec FILE --cells FILE"
TRACK: Final = Known("track", lambda: registry.TRACKS)
SCENARIO: Final = Known("scenario", lambda: registry.SCENARIOS)
SPLIT: Final = Known("split", lambda: constants.SPLIT_TASKS)
REGION: Final = Known("region", _regions, hint=_OWN)
REGIONS: Final = Known("region", lambda: [*_regions(), "all"], many=True, hint=_OWN)
REGISTERED_REGIONS: Final = Known("region", lambda: registry.REGISTERED, many=True)
TABLE: Final = Known("table", _tables)
FACE: Final = Known("face", _faces)
METHOD: Final = Known("method", _methods)
AGENT: Final = Name("agent", _agents, or_file=True)
EDITION: Final = Name("edition", _editions)
