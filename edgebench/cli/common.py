"""What the verbs share: options, exit statuses, errors told in three lines, progress on stderr, tables on stdout."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import click

from edgebench.cli.values import EDITION, REGIONS, SCENARIO, TRACK, OneOf
from edgebench.errors import EdgeBenchError, refused_write

if TYPE_CHECKING:
    from rich.console import Console, Group
    from rich.table import Table

DOES_NOT_HOLD: Final = 1
USER_ERROR: Final = 2
INTERRUPTED: Final = 130
EXIT_STATUSES: Final = {
    0: "done; whatever was checked holds",
    DOES_NOT_HOLD: "done, but what was checked does not hold: an episode failed, a table differs, a problem was found",
    USER_ERROR: "not done: a mistake in the command, its files or its surroundings, told with what to do about it",
    INTERRUPTED: "broken off by Ctrl-C",
}
"""What the exit status of every verb says; a defect of EdgeBench itself ends in a traceback and status 1."""

_DEBUG: Final = "edgebench.debug"
_QUIET: Final = "edgebench.quiet"


def remember_debug(ctx: click.Context, arguments: Sequence[str]) -> None:
    """Note --debug wherever it stands: a mistake before it is to be shown with its traceback too."""
    ctx.meta[_DEBUG] = "--debug" in arguments


def _remember_quiet(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted:
        ctx.meta[_QUIET] = True


debug_option = click.option("--debug", is_flag=True, expose_value=False, help="Show the traceback of an error.")
quiet_option = click.option(
    "-q", "--quiet", is_flag=True, is_eager=True, expose_value=False, callback=_remember_quiet,
    help="Tell nothing but results and errors: no progress, no remarks.",
)  # fmt: skip
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
track_option = click.option("--track", type=TRACK, default="route", show_default=True, help="The decision problem.")
regions_option = click.option(
    "--regions", type=REGIONS, default="all", show_default=True, help="s1,bern; all are s1 to s4."
)
scenario_option = click.option(
    "--scenario", type=SCENARIO, default="trap", show_default=True, help="How the network behaves."
)
edition_option = click.option(
    "--edition", type=EDITION, default="sample", show_default=True, help="Which build of the regions."
)
device_option = click.option(
    "--device", type=OneOf("device", "cpu", "cuda"), default="cpu", show_default=True, help="Where nets are."
)
jobs_option = click.option("--jobs", type=click.IntRange(1), help="Processes at once.  [default: one a core]")
ray_option = click.option(
    "--ray", "ray_address", is_flag=False, flag_value="local", default="", metavar="ADDRESS",
    help="Spread over a Ray cluster: its address, or auto; without one over this machine (local).",
)  # fmt: skip


def verb(example: str) -> Callable[[Callable[..., None]], click.Command]:
    """Turn a function into a verb whose help ends with `example`."""

    def wrap(function: Callable[..., None]) -> click.Command:
        return debug_option(quiet_option(click.command(epilog=f"Example: {example}")(function)))

    return wrap


@contextmanager
def guarded(ctx: click.Context) -> Iterator[None]:
    """Tell a mistake or a refused file in a few lines on stderr and leave with the exit status it deserves."""
    try:
        yield
    except BrokenPipeError:
        raise
    except click.UsageError:
        if ctx.meta.get(_DEBUG):
            traceback.print_exc()
        raise  # click tells it, with the verb's usage
    except (EdgeBenchError, OSError) as error:
        if ctx.meta.get(_DEBUG):
            traceback.print_exc()
        else:
            told = refused_write(error) if isinstance(error, OSError) else None
            click.echo(f"error: {told or error}", err=True)
        ctx.exit(USER_ERROR)
    except KeyboardInterrupt:
        click.echo("interrupted", err=True)
        ctx.exit(INTERRUPTED)


def stdout() -> Console:
    """Where tables go."""
    from rich.console import Console

    return Console()


def stderr() -> Console:
    """Where progress and remarks go, so that `--json` leaves stdout to the data; nowhere with `--quiet`."""
    from rich.console import Console

    ctx = click.get_current_context(silent=True)
    return Console(stderr=True, highlight=False, quiet=ctx is not None and ctx.meta.get(_QUIET, False))


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
        disable=console.quiet or not console.is_terminal,
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
    names = dict.fromkeys((manifest["region"], manifest["title"]))  # a region without a title is called as it is named
    title = " · ".join((*names, f"edition {manifest['edition']}"))
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
