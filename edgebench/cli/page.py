"""The page docs/command_line.md: every verb with its options, from the commands themselves.

python -m edgebench.cli.page docs/command_line.md
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from edgebench.atomic import write_text
from edgebench.cli import VERBS, main
from edgebench.cli.common import EXIT_STATUSES

SHARED = ("--quiet", "--debug", "--help", "--json")
"""Options that every verb has; told once."""


def command_line_page() -> str:
    """The page in Markdown: what all verbs share, then a section a verb."""
    return "\n\n".join(_parts()) + "\n"


def _parts() -> Iterator[str]:
    group = click.Context(main, info_name="edgebench", **main.context_settings)
    yield "# The command line"
    yield "*Written by `python -m edgebench.cli.page docs/command_line.md` from the commands themselves.*"
    yield "\n".join(f"- [`{name}`](#edgebench-{name}): {about}" for name, about in VERBS.items())
    yield "## What all verbs share"
    verbs = {name: main.get_command(group, name) for name in VERBS}
    first = next(command for command in verbs.values() if command is not None)
    yield "\n".join(_options(first, click.Context(first, group, info_name=next(iter(verbs))), shared=True))
    yield (
        "`--quiet` and `--debug` may also stand before the verb. Results go to stdout, progress and remarks to\n"
        "stderr. There is no colour where the output is no terminal or `NO_COLOR` is set. A name that does not exist\n"
        "is refused with the nearest one that does; a path, with the nearest entry of the last folder on its way."
    )
    yield "## Exit statuses"
    yield "| status | meaning |\n|---:|---|\n" + "\n".join(f"| {key} | {told} |" for key, told in EXIT_STATUSES.items())
    for name, command in verbs.items():
        assert command is not None
        yield from _verb(command, click.Context(command, group, info_name=name))


def _verb(command: click.Command, ctx: click.Context) -> Iterator[str]:
    yield f"## {ctx.command_path}"
    yield f"```text\n{' '.join((ctx.command_path, *command.collect_usage_pieces(ctx)))}\n```"
    yield _plain(inspect.cleandoc(command.help or ""))
    options = list(_options(command, ctx, shared=False))
    if options:
        yield "\n".join(options)
    yield f"{command.epilog}".replace("Example: ", "Example: `", 1) + "`"


def _options(command: click.Command, ctx: click.Context, *, shared: bool) -> Iterator[str]:
    """A line an option: those in `SHARED`, or all others."""
    for option in command.get_params(ctx):
        record = option.get_help_record(ctx)
        if record is not None and isinstance(option, click.Option) and (option.opts[-1] in SHARED) == shared:
            yield f"- `{record[0]}`: {' '.join(record[1].split())}".replace("[", "\\[")


def _plain(text: str) -> str:
    """Help without click's mark of lines that are not to be wrapped; they become a block."""
    parts = text.split("\n\n")
    return "\n\n".join(
        "\n".join(["```text", *part.splitlines()[1:], "```"]) if part.startswith("\b") else part for part in parts
    )


if __name__ == "__main__":
    write_text(Path(sys.argv[1]), command_line_page())
