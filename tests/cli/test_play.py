"""An episode by hand: by lines, by keys, on every track; a map that tells no more than an agent sees."""

import io
import json

import pytest
from click.testing import CliRunner

from edgebench.cli import main
from edgebench.cli.verb_play import play_by_keys
from edgebench.play.char_map import CharMap
from edgebench.play.desk import BACK, DOWN, UP, Desk
from edgebench.play.hand import Decision, Row
from edgebench.play.screen import Screen
from edgebench.play.session import Session
from edgebench.registry import TRACKS


@pytest.fixture
def typed(with_s1):
    """Play with these lines as standard input."""

    def call(lines, *arguments):
        return CliRunner().invoke(main, ["play", *arguments], input=lines)

    return call


def session(s1, track="route", seed=0, scenario="trap"):
    return Session(track, s1, scenario=scenario, split="val", window=0, seed=seed)


def shown(screen, wide=140, high=40):
    from rich.console import Console

    console = Console(width=wide, height=high, file=io.StringIO())
    console.print(screen.draw(wide, high))
    return console.file.getvalue()


@pytest.mark.parametrize("track", sorted(TRACKS))
def test_the_guide_alone_plays_as_it_does_in_an_evaluation(typed, track):
    result = typed("f\n", "--track", track, "--json", "--episode", "1:2")
    assert result.exit_code == 0, result.stderr
    told, guide = json.loads(result.stdout), TRACKS[track].guide
    assert told["figures"]["you"] == told["figures"][guide]
    assert told["scores"]["you"] == told["scores"][guide] > 0.0
    assert told["decisions"] == told["by_guide"] == told["figures"]["you"]["decisions"]


def test_lines_decide_and_the_score_stands_beside_the_guides(typed):
    result = typed("\n3\nh\n\nf\n")
    assert result.exit_code == 0, result.stderr
    said = " ".join(result.stdout.split())
    assert "taken: candidate 0" in said and "taken: candidate 3" in said and said.count("lookahead: candidate") == 1
    hinted = said.split("lookahead: candidate ")[1].split()[0]
    assert f"taken: candidate {hinted}; earned" in said
    assert " you lookahead" in said and "decisions were lookahead's" in said


@pytest.mark.parametrize(
    ("track", "line", "taken"),
    [
        ("allocate", "25", "taken: wait"),
        ("offload", "0.5 0.25 0.25", "taken: 0.50 0.25 0.25 on average"),
        ("place", "12 r 3", "taken: 12 replicate 3"),
    ],
)
def test_the_other_tracks_take_their_own_lines(typed, track, line, taken):
    result = typed(f"{line}\nq\n", "--track", track)
    assert result.exit_code == 0, result.stderr
    assert taken in result.stdout and "left after 1 decisions" in " ".join(result.stdout.split())


def test_the_end_of_the_input_leaves_without_a_score(typed):
    result = typed("0\n0\n", "--json")
    assert result.exit_code == 0
    told = json.loads(result.stdout)
    assert (told["over"], told["decisions"]) == (False, 2) and "scores" not in told


@pytest.mark.parametrize(
    ("lines", "arguments", "said"),
    [
        ("99\n", (), "action 99 is outside 0 … 31"),
        ("best\n", (), "'best' is no choice"),
        ("0.5 0.5\n", ("--track", "offload"), "'0.5 0.5' is no choice"),
        ("0.5 2 nan\n", ("--track", "offload"), "a share is outside 0 … 1"),
        ("12 x 3\n", ("--track", "place"), "'12 x 3' is no choice"),
        ("99 place 3\n", ("--track", "place"), "action [99, 0, 3] is outside"),
        ("", ("--episode", "x"), "SCENARIO:SEED"),
        ("", ("--episode", "0:9"), "no window 9"),
        ("", ("--track", "rout"), "did you mean 'route'?"),
    ],
)
def test_mistakes_are_told(typed, lines, arguments, said):
    result = typed(lines, *arguments, "--json")
    assert result.exit_code == 2 and said in result.stderr, result.output


def test_keys_move_type_ask_and_leave(s1):
    desk = Desk(session(s1))
    keys = [DOWN[0], DOWN[1], UP[0], "\r", "9", "9", "\r", "1", "2", BACK[0], "\r", "h", "q", "\r"]
    play_by_keys(desk, iter(keys))
    assert desk.session.decisions == 2 and desk.hinted_row == desk.cursor >= 0
    assert desk.message.startswith("lookahead: candidate") and not desk.session.over


def test_a_wrong_choice_at_the_keys_is_told_and_changes_nothing(s1):
    desk = Desk(session(s1))
    for key in "99\r":
        assert desk.press(key)
    assert desk.message.startswith("action 99 is outside") and (desk.session.decisions, desk.typed) == (0, "")
    desk.press("4")
    assert desk.chosen.action == 4


@pytest.mark.parametrize(("wide", "high"), [(80, 24), (100, 60), (160, 40)])
def test_the_screen_fits_terminals_and_follows_the_cursor(s1, wide, high):
    desk = Desk(session(s1))
    screen = Screen(desk)
    for _ in range(5):
        lines = shown(screen, wide, high).splitlines()
        assert len(lines) <= high
        assert [line.split()[1] for line in lines if line.startswith(" > ")] == [desk.chosen.cells[0]]
        for _ in range(7):
            desk.press(DOWN[0])
    assert "[2]" in "\n".join(lines)


def test_what_no_agent_knows_is_not_shown(s1):
    """Links are in other states under other seeds; before anything is measured that cannot be seen."""
    first, second = (shown(Screen(Desk(session(s1, seed=seed)))) for seed in (0, 1))
    assert first == second


def test_the_map_shows_nodes_the_way_and_what_was_measured(s1):
    rows = [Row(["0"], 0, 5, 0.0), Row(["1"], 1, 12, 3.0)]
    decision = Decision(["?"], ["#"], rows, here=2, user=2)
    chart = CharMap(s1, 70, 20)
    quiet, chosen = chart.draw(decision, None), chart.draw(decision, rows[1])
    words = quiet.plain.replace("[", " ").replace("]", " ").replace(".", " ").split()
    assert sorted(int(word) for word in words if word != "o") == list(range(25))
    assert "*" not in quiet.plain and "*" in chosen.plain and "[2]" in chosen.plain
    styles = {(chosen.plain[span.start : span.end], str(span.style)) for span in chosen.spans}
    assert {("*", "red"), ("5", "green"), ("1", "reverse red"), ("2", "bold cyan")} <= styles
