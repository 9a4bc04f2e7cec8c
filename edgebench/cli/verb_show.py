"""`edgebench show`: what a built region holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgebench.cli.common import (
    edition_option,
    facts,
    json_option,
    print_json,
    region_tables,
    stderr,
    stdout,
    tell_compiling,
    verb,
)
from edgebench.cli.values import REGION
from edgebench.errors import EdgeBenchError

if TYPE_CHECKING:
    from edgebench.region import Region
    from edgebench.show.episode import EpisodeName, EpisodeTrace


@verb("edgebench show s1 --map -o s1.html")
@click.argument("region", type=REGION)
@edition_option
@click.option("--map", "as_map", is_flag=True, help="Draw a map: .png, or .html for a page to move about in.")
@click.option("--histograms", is_flag=True, help="Draw degree, latencies, tokens, payloads and arrivals as PNG.")
@click.option("--episode", metavar="SCENARIO:SEED[:WINDOW]", help="Draw an episode of the test split as PNG.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The picture.  [default: REGION.png]")
@json_option
def command(
    region: str,
    edition: str,
    as_map: bool,
    histograms: bool,
    episode: str | None,
    output: Path | None,
    as_json: bool,
) -> None:
    """Show the figures of REGION beside its specification, or draw them.

    Tables: what was built and what was specified, the rows each filter dropped, placement, workload, feasibility,
    degree and latencies. Pictures need the extra edgebench[plots]. A region of your own is found by its edition:
    edgebench show bern --edition ocid-202603.

    An episode, --episode trap:0, is one of greedy-estimate: what arrives, where it queues, and what no agent is told,
    the states of links and nodes. With --json its figures are printed and nothing is drawn.
    """
    from edgebench.archive import load_safely

    if as_map + histograms + (as_json or episode is not None) > 1:
        what = "--map, --histograms and --episode or --json each give another thing"
        raise EdgeBenchError(what, mend="take one at a time")
    if output is not None and (as_json or not (as_map or histograms or episode is not None)):
        mend = "add --map or --histograms, or --episode without --json"
        raise EdgeBenchError("there is nothing to write", where=str(output), mend=mend)
    loaded = load_safely(region, edition)
    if as_map:
        _tell_written(_draw_map(loaded, output or Path(f"{region}.png")))
    elif histograms:
        _tell_written(_draw_histograms(loaded, output or Path(f"{region}-histograms.png")))
    elif episode is not None:
        _show_episode(loaded, episode, output, as_json)
    elif as_json:
        from edgebench.show.figures import describe_region

        print_json(describe_region(loaded))
    else:
        _print_tables(loaded)


def _draw_map(region: Region, target: Path) -> Path:
    if target.suffix.lower() == ".html":
        from edgebench.show.page import write_page

        write_page(region, target)
    else:
        _expect_png(target, ".png or .html")
        from edgebench.show.png_map import draw_map

        draw_map(region, target)
    return target


def _draw_histograms(region: Region, target: Path) -> Path:
    from edgebench.show.histograms import draw_histograms

    _expect_png(target, ".png")
    draw_histograms(region, target)
    return target


def _show_episode(region: Region, text: str, output: Path | None, as_json: bool) -> None:
    from edgebench.show.episode import describe_episode, parse_episode

    name = parse_episode(text)
    if as_json:
        print_json(describe_episode(region, _record(region, name)))
        return
    from edgebench.show.episode_plot import draw_episode

    words = [region.name, name.scenario, str(name.seed), *([str(name.window)] if name.window else [])]
    target = output or Path(f"{'-'.join(words)}.png")
    _expect_png(target, ".png")
    draw_episode(region, _record(region, name), target)
    _tell_written(target)


def _record(region: Region, name: EpisodeName) -> EpisodeTrace:
    """The episode of an agent that needs neither training nor weights."""
    from edgebench.show.episode import record_episode
    from reference_agents.route.greedy_estimate import Agent

    tell_compiling("route")
    agent = Agent()
    agent.reset({})
    return record_episode(region, name, "greedy-estimate", agent.act)


def _expect_png(target: Path, known: str) -> None:
    if target.suffix.lower() != ".png":
        raise EdgeBenchError(f"cannot draw a {target.suffix or 'file without suffix'}", where=str(target), mend=known)


def _tell_written(target: Path) -> None:
    stderr().print(f"wrote {target}", soft_wrap=True, markup=False)


def _print_tables(region: Region) -> None:
    from edgebench.show.terminal import figure_tables

    console = stdout()
    for part in region_tables(region.manifest):
        console.print(part)
    for part in figure_tables(region, plain=not console.is_terminal):
        console.print(part)
    about = {"digest": region.digest, "licence": region.licence, "folder": str(region.path)}
    console.print(facts(about), soft_wrap=True)
