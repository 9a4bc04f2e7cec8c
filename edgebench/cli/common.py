"""What the verbs share: errors told in three lines, names from a list, progress on stderr, tables on stdout."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import click

from edgebench.errors import EdgeBenchError, refused_write, unknown_name

if TYPE_CHECKING:
    from rich.console import Console, Group
    from rich.table import Table

INTERRUPTED: Final = 130
"""Exit status after Ctrl-C (128 + SIGINT)."""
USER_ERROR: Final = 2
"""Exit status of a mistake the user can mend."""


def _remember_debug(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted:
        ctx.find_root().meta["edgebench.debug"] = True


debug_option = click.option(
    "--debug", is_flag=True, expose_value=False, callback=_remember_debug, help="Show the traceback of an error."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")


def verb(example: str) -> Callable[[Callable[..., None]], click.Command]:
    """Turn a function into a verb whose help ends with `example`."""

    def wrap(function: Callable[..., None]) -> click.Command:
        return click.command(epilog=f"Example: {example}")(debug_option(function))

    return wrap


@contextmanager
def guarded(ctx: click.Context) -> Iterator[None]:
    """Tell a mistake or a refused file in a few lines on stderr and leave with the exit status it deserves."""
    try:
        yield
    except BrokenPipeError:
        raise
    except (EdgeBenchError, OSError) as error:
        if ctx.meta.get("edgebench.debug"):
            traceback.print_exc()
        else:
            told = refused_write(error) if isinstance(error, OSError) else None
            click.echo(f"error: {told or error}", err=True)
        ctx.exit(USER_ERROR)
    except KeyboardInterrupt:
        click.echo("interrupted", err=True)
        ctx.exit(INTERRUPTED)


def names(text: str, kind: str, known: Iterable[str]) -> list[str]:
    """Split `s1,s2` into names, each known and none twice; `all` stands for every known one."""
    registry = list(known)
    if text == "all":
        return registry
    wanted = list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if not wanted:
        raise EdgeBenchError(f"no {kind} named", where=repr(text), mend=f"known: {', '.join(registry)}")
    for name in wanted:
        if name not in registry:
            raise unknown_name(kind, name, registry)
    return wanted


def stdout() -> Console:
    """Where tables go."""
    from rich.console import Console

    return Console()


def stderr() -> Console:
    """Where progress and remarks go, so that `--json` leaves stdout to the data."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


@contextmanager
def progress(unit: str) -> Iterator[Callable[[str, int, int], None]]:
    """Yield `report(label, done, total)` that moves one bar on stderr; silent where stderr is no terminal."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn(unit))
    console = stderr()
    bar = Progress(
        *columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console, transient=True,
        disable=not console.is_terminal,
    )  # fmt: skip
    with bar:
        task = bar.add_task("", total=None)

        def report(label: str, done: int, total: int) -> None:
            bar.update(task, description=label, completed=done, total=total)

        yield report


def tell_compiling(*tracks: str) -> None:
    """Say on stderr that these tracks are about to be compiled, where that has not been done on this machine yet."""
    from edgebench.registry import TRACKS
    from edgebench.sim.compiled import is_compiled

    if not all(is_compiled(TRACKS[name].folder) for name in tracks):
        stderr().print("compiling the simulator: this takes a while, once for this version")


def print_json(value: Any) -> None:
    """Write `value` to stdout as strict JSON: a number that is not finite is an error, not an `NaN`."""
    import json

    click.echo(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))


def table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], *, texts: int = 1, bold: Sequence[int] = ()
) -> Group:
    """A titled table: `texts` left-aligned columns, then figures; rows numbered in `bold` stand out; no markup."""
    from rich import box
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    result = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for index, column in enumerate(columns):
        result.add_column(column, justify="left" if index < texts else "right", overflow="fold")
    for index, row in enumerate(rows):
        result.add_row(*(Text(cell) for cell in row), style="bold" if index in bold else None)
    return Group(Text(title, style="bold"), result)


def facts(entries: Mapping[str, str]) -> Table:
    """A two-column table of facts."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    result = Table(box=box.SIMPLE, show_header=False, pad_edge=False)
    for name, value in entries.items():
        result.add_row(Text(name, style="dim"), Text(value))
    return result


def region_tables(manifest: Mapping[str, Any]) -> list[Group]:
    """A region's figures beside the specification's, and the rows each filter dropped where it was built from cells."""
    statistics, spec = manifest["statistics"], manifest["spec"]
    figures = [
        ("nodes", str(statistics["nodes"]), str(spec["nodes"])),
        ("links", str(statistics["links"]), ""),
        ("trap links", str(statistics["trap_links"]), _traps(spec["traps"])),
        ("mean degree", f"{statistics['degree']['mean']:g}", f"{spec['mean_degree']:g}"),
        *((name, _spread(statistics[name]), _spread(spec[name])) for name in ("compute", "storage_gb")),
        ("link length, km", _spread(statistics["distance_km"]), ""),
        ("models", str(statistics["instances"]), ""),
        *((f"{split} tasks", str(count), "") for split, count in statistics["tasks"].items()),
    ]
    title = f"{manifest['region']} · {manifest['title']} · edition {manifest['edition']}"
    dropped = [
        (drop["filter"], drop["reason"], f"{drop['rows']:,}", f"{drop['left']:,}") for drop in manifest["dropped"]
    ]
    tables = [table(title, ("", "built", "specified"), figures)]
    if dropped:
        columns = ("filter", "dropped because", "dropped", "left")
        tables.append(table(f"rows of {manifest['source']['file']}", columns, dropped, texts=2))
    return tables


def _traps(spec: Mapping[str, Any]) -> str:
    share = "" if spec["share"] is None else f" {spec['share']:g}"
    return f"{spec['which']}{share}, {spec['behaviour']}"


def _spread(values: Mapping[str, float]) -> str:
    return f"{values['min']:.4g} – {values['max']:.4g}, mean {values['mean']:.4g}"
