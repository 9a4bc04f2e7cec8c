"""Following a page: its files are written, its Python and its commands run, in the folder one is in."""

import ast
import contextlib
import importlib.util
import io
import json
import re
import subprocess
import sys
import tomllib
import zipfile
from itertools import dropwhile, takewhile
from pathlib import Path

import click
from click.testing import CliRunner
from hatchling.build import build_wheel
from page_blocks import SHELL, commands

from edgebench.cli import VERBS, main
from edgebench.errors import EdgeBenchError
from edgebench.registration import load_tracks

ROOT = Path(__file__).resolve().parents[2]
TARGETS = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
OTHERS = ("docker", "eval", "export", "git", "openssl", "printf", "ray", "source")
"""Programs of others, and words of the shell, that are not looked into."""
NOT_HERE = ("there is no such", "unknown region")
"""How errors begin that tell of files and regions which are not there, as those of a block that is not run."""
INSTALLED = "installed"
"""The folder for packages of a page, within the one it is followed in."""


def run(block, where, names):
    """Write the block if it is a file, else run it among `names`; an error, or a command that fails, is raised."""
    if block.title:
        Path(block.title).parent.mkdir(parents=True, exist_ok=True)
        Path(block.title).write_text(block.text, encoding="utf-8", newline="\n")
    elif block.language == "python":
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(block.text, where, "exec"), names)
    else:
        assert block.language in SHELL, f"{where}: give the block of {block.language} a title, or say why it is not run"
        for words in commands(block):
            _run_command(words, where)


def parse(block, where):
    """What can be told of a block without running it: its code is sound; the programs, verbs, options, choices,
    scripts, modules, targets and extras that its commands name exist. Its files need not.
    """
    if block.language in SHELL:
        for words in commands(block):
            _parse_command(words, where)
    else:
        checks = {"python": ast.parse, "toml": tomllib.loads, "json": json.loads}
        assert block.language in checks, f"{where}: a language that nobody checks: {block.language}"
        checks[block.language](block.text)


def _parse_command(words, where):
    words = list(dropwhile(re.compile(r"\w+=").match, words))
    program, arguments = Path(words[0]).name, list(takewhile(lambda word: word not in ("|", ">"), words[1:]))
    if program == "edgebench":
        _parse_verb(arguments, where)
    elif program in ("python", "python3"):
        _parse_python(arguments, where)
    elif program == "make":
        assert {word for word in arguments if "=" not in word} <= set(TARGETS), f"{where}: make {arguments}"
    elif program == "pip":
        named = {name for word in arguments for list_ in re.findall(r"\[(.+)\]", word) for name in list_.split(",")}
        assert named <= {*EXTRAS, "rllib"}, f"{where}: no extra {named - set(EXTRAS)}"
    else:
        assert program in OTHERS or (ROOT / words[0]).is_file(), f"{where}: what is {words[0]}?"


def _parse_verb(arguments, where):
    if not arguments:
        return
    verb, *rest = arguments
    assert verb in VERBS, f"{where}: no verb {verb}"
    with click.Context(main, info_name="edgebench") as group:
        try:
            main.get_command(group, verb).make_context(verb, rest, parent=group)
        except click.UsageError as error:
            raise AssertionError(f"{where}: edgebench {' '.join(arguments)}: {error.format_message()}") from error
        except EdgeBenchError as error:
            assert str(error).startswith(NOT_HERE), f"{where}: edgebench {' '.join(arguments)}: {error}"


def _parse_python(arguments, where):
    if arguments[0] == "-m":
        assert importlib.util.find_spec(arguments[1]), f"{where}: no module {arguments[1]}"
        paths = [word for word in arguments[2:] if word.startswith(("tests/", "docs/"))]
    else:
        paths = arguments[:1]
    for path in paths:
        assert (ROOT / path).exists() or Path(path).exists(), f"{where}: no {path}"


def _run_command(words, where):
    if words[0] == "edgebench":
        result = CliRunner().invoke(main, words[1:], prog_name="edgebench")
        assert result.exit_code == 0, f"{where}: {' '.join(words)}\n{result.output}\n{result.exception!r}"
    elif words[0] == "python":
        result = subprocess.run([sys.executable, *words[1:]], capture_output=True, text=True, check=False)
        assert result.returncode == 0, f"{where}: {' '.join(words)}\n{result.stderr}"
    elif words == ["pip", "install", "."]:
        _install()
    else:
        raise AssertionError(f"{where}: {words[0]} is not run here: say so in a comment before the block")


def _install():
    """What pip would do with the package one is in: build its wheel, unpack it where modules are found."""
    with contextlib.redirect_stdout(io.StringIO()), zipfile.ZipFile(Path("dist", build_wheel("dist"))) as wheel:
        wheel.extractall(INSTALLED)
    importlib.invalidate_caches()
    load_tracks.cache_clear()
