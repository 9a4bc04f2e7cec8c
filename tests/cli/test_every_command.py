"""Every verb and option, found by walking: help, example, mistakes; and what all share: quiet, colour, completion."""

import re
import shlex
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from edgebench.cli import main
from edgebench.cli.common import EXIT_STATUSES, stdout
from edgebench.cli.page import command_line_page
from edgebench.cli.values import Existing, Known, Name

ROOT = Path(__file__).resolve().parents[2]
NAMES = {"track", "scenario", "split", "region", "regions", "agent", "method", "table"}
"""Parameters that bear these names take a name of a registry."""
GROUP = click.Context(main, info_name="edgebench", **main.context_settings)


def _walk(command, ctx, path):
    """Every command that does something, with the words that call it."""
    if not isinstance(command, click.Group):
        return {path: command}
    found = {}
    for name in command.list_commands(ctx):
        inner = command.get_command(ctx, name)
        found |= _walk(inner, click.Context(inner, ctx, info_name=name), (*path, name))
    return found


COMMANDS = _walk(main, GROUP, ())
each = pytest.mark.parametrize("path", COMMANDS, ids=" ".join)


def options(command):
    return [parameter for parameter in command.params if isinstance(parameter, click.Option)]


def arguments(command):
    return [parameter for parameter in command.params if isinstance(parameter, click.Argument)]


def example(command, path):
    """The words of the example behind those that call the command, as a shell passes them."""
    start, _, text = command.epilog.partition(": ")
    words = shlex.split(text.partition(" > ")[0])
    assert start == "Example" and tuple(words[: len(path) + 1]) == ("edgebench", *path)
    return words[len(path) + 1 :]


def parsed(command, words):
    """The raw values that these words give, by parameter; click refuses an option that does not exist."""
    ctx = click.Context(command, GROUP, info_name="x")
    values, left, _ = command.make_parser(ctx).parse_args(list(words))
    assert not left
    return values


def refused(result):
    """A mistake that the user can mend was told as one."""
    assert result.exit_code == 2, (result.output, result.exception)
    assert isinstance(result.exception, SystemExit)
    assert result.stdout == "" and result.stderr
    assert "Traceback" not in result.stderr and "\x1b" not in result.stderr
    return True


@each
def test_the_help_tells_all(run, path):
    command, result = COMMANDS[path], run(*path, "--help")
    assert result.exit_code == 0 and result.stderr == "" and "\x1b" not in result.stdout
    shown = " ".join(result.stdout.split())
    assert " ".join(command.epilog.split()) in shown
    given = {flag for option in options(command) for flag in option.opts}
    assert {"--json", "--quiet", "-q", "--debug"} <= given
    for option in options(command):
        assert option.opts[0] in shown
        assert option.help and re.search(r"[.\]]$", option.help), option.opts
    for argument in arguments(command):
        metavar = argument.make_metavar(GROUP).strip("[]{}")
        assert "|" in metavar or metavar in command.help, metavar


@each
def test_the_example_is_one(path):
    command = COMMANDS[path]
    values = parsed(command, example(command, path))
    ctx = click.Context(command, GROUP, info_name="x")
    for parameter in command.params:
        if parameter.required:
            assert values.get(parameter.name), parameter.name
        if isinstance(parameter.type, Known) and isinstance(values.get(parameter.name), str):
            assert parameter.type_cast_value(ctx, values[parameter.name])


@each
def test_a_misspelt_option_is_refused_with_the_nearest(run, path):
    for option in options(COMMANDS[path]):
        long = option.opts[-1]
        result = run(*path, f"{long}x")
        assert refused(result)
        assert "No such option" in result.stderr and repr(long) in result.stderr, long


def wrong_values(kind):
    """Values that this type cannot take, each with what must be said of it."""
    if isinstance(kind, Known):
        yield max(kind.known(), key=len) + "x", "did you mean"
    elif isinstance(kind, Existing) or (isinstance(kind, click.Path) and kind.exists):
        yield "docz/nowhere", "docz"
    elif isinstance(kind, click.Choice):
        yield "no-such-choice", "is not one of"
    elif kind is click.INT or kind is click.FLOAT or isinstance(kind, click.IntRange | click.FloatRange):
        yield "many", "is not a valid"
        if isinstance(kind, click.FloatRange) or kind is click.FLOAT:
            yield "nan", ""
            yield "inf", ""
        if isinstance(kind, click.IntRange | click.FloatRange):
            yield str(kind.min - 1), "range"


@each
def test_a_wrong_value_is_refused_before_anything_is_done(run, home, path):
    command = COMMANDS[path]
    for option in options(command):
        for value, said in wrong_values(option.type):
            result = run(*path, option.opts[-1], value)
            assert refused(result), (option.opts, value)
            assert said in result.stderr, (option.opts, value)
    right = parsed(command, example(command, path))
    for index, argument in enumerate(arguments(command)):
        before = [right[one.name] for one in arguments(command)[:index]]
        for value, said in wrong_values(argument.type):
            result = run(*path, *before, value)
            assert refused(result), (argument.name, value)
            assert said in result.stderr, (argument.name, value)
    assert not home.exists()


@each
def test_what_bears_the_name_of_a_registry_takes_its_names(path):
    for parameter in COMMANDS[path].params:
        assert parameter.name not in NAMES or isinstance(parameter.type, Name | click.Choice), parameter.name


@each
def test_with_debug_a_mistake_has_its_traceback(run, path):
    for words in [(*path, "--nonsense", "--debug"), ("--debug", *path, "--nonsense")]:
        result = run(*words)
        assert result.exit_code == 2 and "Traceback" in result.stderr and "No such option" in result.stderr


@pytest.mark.parametrize("words", [("--nonsense", "list"), ("lists",), ("--debug", "lists"), ()])
def test_mistakes_before_the_verb(run, words):
    result = run(*words)
    assert result.exit_code == 2
    assert ("Traceback" in result.stderr) == ("--debug" in words)


def test_quiet_leaves_remarks_out(run, with_s1, tmp_path):
    archive = tmp_path / "s1.zip"
    assert run("pack", "s1", "-o", archive).stderr == f"wrote {archive}\n"
    for words in [("pack", "s1", "-o", archive, "--quiet"), ("-q", "pack", "s1", "-o", archive)]:
        archive.unlink()
        result = run(*words)
        assert (result.exit_code, result.stdout, result.stderr) == (0, "", "") and archive.is_file()
    assert "unknown region" in run("pack", "s11", "-q").stderr


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_colour_is_off_with_no_color(monkeypatch, capsys, no_color, coloured):
    for name, value in {"FORCE_COLOR": "1", "TERM": "xterm-256color", "NO_COLOR": no_color}.items():
        monkeypatch.setenv(name, value)
    stdout().print("20 episodes")
    assert bool(re.search(r"\x1b\[[0-9;]*3[0-9]", capsys.readouterr().out)) == coloured


def test_output_that_is_piped_has_no_colour(run, with_s1, monkeypatch):
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    for words in [("list",), ("show", "s1"), ("check", "s1")]:
        result = run(*words)
        assert result.exit_code == 0 and result.stdout and "\x1b" not in result.output


def test_the_page_is_written_from_the_commands():
    page = (ROOT / "docs" / "command_line.md").read_text(encoding="utf-8")
    assert page == command_line_page(), "python -m edgebench.cli.page docs/command_line.md"
    for status, meaning in EXIT_STATUSES.items():
        assert f"| {status} | {meaning} |" in page


def completed(*words):
    """What the shell offers for the last word."""
    shell = ShellComplete(main, {}, "edgebench", "_EDGEBENCH_COMPLETE")
    return shell.get_completions(list(words[:-1]), words[-1])


@pytest.mark.parametrize(
    ("words", "some", "not_one"),
    [
        (("ev",), ["eval"], "list"),
        (("--d",), ["--debug"], "--quiet"),
        (("eval", "--reg"), ["--regions"], "--track"),
        (("eval", "--track", ""), ["route", "place"], "s1"),
        (("eval", "--regions", "s"), ["s1", "s1-dag"], "trap500"),
        (("eval", "--regions", "s1,trap"), ["s1,trap500"], "trap500"),
        (("eval", "--scenario", "b"), ["burst"], "calm"),
        (("eval", "ne"), ["nearest"], "tuned"),
        (("eval", "--track", "offload", "all-"), ["all-local"], "nearest"),
        (("show", "s"), ["s1"], "all"),
        (("show", "s1", "--edition", "s"), ["sample"], "s1"),
        (("reproduce", "--table", "route-t"), ["route-transfer"], "route"),
        (("train", "pp"), ["ppo"], "sac"),
        (("build", "--links-by", "g"), ["gabriel", "gabriel-decay"], "nearest"),
        (("list", "t"), ["tracks"], "agents"),
        (("nonsense", "ev"), ["eval"], "list"),
        (("eval", "--track", "nonsense", "ne"), ["nearest"], "tuned"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_the_shell_completes(home, words, some, not_one):
    offered = [item.value for item in completed(*words) if item.type == "plain"]
    assert set(some) <= set(offered) and not_one not in offered


def test_the_shell_completes_paths_and_own_regions(home):
    assert {item.type for item in completed("eval", "my")} == {"file"}
    assert {item.type for item in completed("validate", "my")} == {"file"}
    manifest = home / "processed" / "mine" / "bern" / "manifest.json"
    manifest.parent.mkdir(parents=True)
    manifest.write_text("{}")
    assert [item.value for item in completed("show", "be")] == ["bern"]
    assert [item.value for item in completed("show", "bern", "--edition", "m")] == ["mine"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_the_script_of_a_shell(run, run_json, shell):
    result = run("completion", shell)
    assert result.exit_code == 0 and f"_EDGEBENCH_COMPLETE={shell}_complete" in result.stdout.replace(" = '", "=")
    assert run_json("completion", shell) == {"shell": shell, "script": result.stdout.removesuffix("\n")}


def test_the_script_is_answered(home):
    asked = {"_EDGEBENCH_COMPLETE": "bash_complete", "COMP_WORDS": "edgebench eval --track pl", "COMP_CWORD": "3"}
    result = CliRunner().invoke(main, prog_name="edgebench", env=asked)
    assert (result.exit_code, result.stdout) == (0, "plain,place\n")
