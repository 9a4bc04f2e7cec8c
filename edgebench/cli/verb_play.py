"""`edgebench play`: an episode by hand."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import click

from edgebench.cli.common import (
    edition_option,
    json_option,
    print_json,
    scenario_option,
    stdout,
    table,
    tell_compiling,
    track_option,
    verb,
)
from edgebench.cli.values import REGION, SPLIT
from edgebench.cli.verb_build import ensure_built

if TYPE_CHECKING:
    from edgebench.play.desk import Desk
    from edgebench.play.session import Outcome, Session

_END_OF_INPUT: Final = "\x04"


@verb("edgebench play --region s1 --episode 0:2")
@track_option
@click.option("--region", type=REGION, default="s1", show_default=True, help="Where.")
@scenario_option
@click.option("--episode", metavar="SEED[:WINDOW]", default="0", show_default=True, help="Which episode of the split.")
@click.option("--split", type=SPLIT, default="val", show_default=True, help="train, val or test.")
@edition_option
@json_option
def command(track: str, region: str, episode: str, as_json: bool, **names: str) -> None:
    """Step through an episode by hand, seeing what an agent sees; at the end your score stands beside a heuristic's.

    On a screen with a row a choice, and a map of the network: up, down and Enter or a number and Enter choose, h asks
    the heuristic, f lets it take the rest, q quits. Red is what links were measured to add. Route and Allocate are
    played row by row; in Offload a line is three shares for every node, in Place an edit, and Enter alone takes the
    heuristic's choice.

    Where there is no terminal the same is read from standard input, a line each: a choice, nothing for the first or
    for what h has named, h, f or q. With --json the outcome alone is printed.
    """
    session = _session(track, region, episode, **names)
    if _play(session, as_json):
        _tell(session, as_json)
    elif as_json:
        print_json({"over": False, "decisions": session.decisions, "earned": session.earned})
    else:
        words = f"left after {session.decisions} decisions with {session.earned:z.3f} earned; a score needs all of them"
        stdout().print(words, soft_wrap=True, highlight=False)


def _session(track: str, region: str, episode: str, *, scenario: str, split: str, edition: str) -> Session:
    from edgebench.pinning import checked_window
    from edgebench.play.session import Session
    from edgebench.region import load
    from edgebench.registry import track as find_track
    from edgebench.show.episode import parse_episode
    from edgebench.sim.episodes import windows_of

    found, name = find_track(track), parse_episode(f"{scenario}:{episode}")
    ensure_built([region], edition)
    loaded = load(region, edition=edition)
    window = checked_window(name.window, int(windows_of(loaded.task_table(split).num_rows)), region, split)
    tell_compiling(found.name)
    return Session(track, loaded, scenario=scenario, split=split, window=window, seed=name.seed)


def _play(session: Session, quiet: bool) -> bool:
    """Play to the end, by keys where there is a screen, else by lines; whether it came to its end."""
    from edgebench.play.desk import Desk

    desk, console = Desk(session), stdout()
    if sys.stdin.isatty() and console.is_terminal and not quiet:
        play_by_keys(desk, _keys())
    else:
        _play_by_lines(desk, quiet)
    return session.over


def play_by_keys(desk: Desk, keys: Iterator[str]) -> None:
    """Show the desk on a screen of its own and take keys until the episode ends or the person leaves."""
    from rich.live import Live

    from edgebench.play.screen import Screen

    screen = Screen(desk)
    console = stdout()
    with Live(console=console, screen=True, auto_refresh=False) as live:
        goes_on = True
        while goes_on:
            live.update(screen.draw(*console.size), refresh=True)
            key = next(keys, _END_OF_INPUT)
            goes_on = key != _END_OF_INPUT and desk.press(key)


def _keys() -> Iterator[str]:
    while True:
        try:
            yield click.getchar()
        except EOFError:
            return


def _play_by_lines(desk: Desk, quiet: bool) -> None:
    from edgebench.play.screen import Screen

    screen, console, goes_on = Screen(desk), stdout(), True
    while goes_on:
        if not quiet:
            console.print(screen.plain())
        line = sys.stdin.readline()
        goes_on = line != "" and desk.enter(line.strip())
        if not quiet and line:
            console.print(desk.message, markup=False, highlight=False, soft_wrap=True)


def _tell(session: Session, as_json: bool) -> None:
    outcome = session.outcome()
    if as_json:
        print_json(_as_json(session, outcome))
        return
    stdout().print(_table(session, outcome))


def _table(session: Session, outcome: Outcome) -> Any:
    from edgebench.leaderboard.page import cell_of, shown
    from edgebench.track import Metric

    both = (outcome.yours, outcome.guides)
    lines = [["score", *(cell_of(Metric("score", ""), outcome.score(figures)) for figures in both)]]
    for figure in shown(session.track.name):
        if all(figure.name in figures for figures in both):
            lines.append([figure.heading, *(cell_of(figure, figures[figure.name]) for figures in both)])
    title = "the score of this episode: 0 is random, 1 the bound"
    if session.by_guide:
        title += f"; {session.by_guide} of {session.decisions} decisions were {session.guide_name}'s"
    return table(title, ["", "you", session.guide_name], lines, bold=[0])


def _as_json(session: Session, outcome: Outcome) -> dict[str, Any]:
    both = {"you": outcome.yours, session.guide_name: outcome.guides}
    return {
        "over": True,
        "decisions": session.decisions,
        "by_guide": session.by_guide,
        "references": vars(outcome.references),
        "scores": {who: outcome.score(figures) for who, figures in both.items()},
        "figures": {who: dict(figures) for who, figures in both.items()},
    }
