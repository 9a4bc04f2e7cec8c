"""`edgebench completion`: verbs, options and names by the tabulator key."""

from __future__ import annotations

from typing import Final

import click

from edgebench.cli.common import json_option, print_json, verb
from edgebench.cli.values import OneOf
from edgebench.errors import EdgeBenchError

PROGRAM: Final = "edgebench"
_SCRIPT_WANTED: Final = "_EDGEBENCH_COMPLETE"
"""The environment variable by which the script that click writes asks this program."""


@verb('edgebench completion bash > "$HOME/.edgebench-completion.bash"')
@click.argument("shell", type=OneOf("shell", "bash", "zsh", "fish", "powershell"))
@json_option
def command(shell: str, as_json: bool) -> None:
    """Print the script with which SHELL - bash, zsh, fish or powershell - completes verbs, options, regions and agents.

    \b
    bash        eval "$(edgebench completion bash)" in ~/.bashrc
    zsh         eval "$(edgebench completion zsh)" in ~/.zshrc
    fish        edgebench completion fish > ~/.config/fish/completions/edgebench.fish
    powershell  edgebench completion powershell | Out-String | Invoke-Expression in $PROFILE
    """
    from click.shell_completion import get_completion_class

    from edgebench.cli import main

    kind = get_completion_class(shell)
    if kind is None:
        raise EdgeBenchError(f"this click cannot complete in {shell}", mend="pip install --upgrade click")
    script = kind(main, {}, PROGRAM, _SCRIPT_WANTED).source()
    if as_json:
        print_json({"shell": shell, "script": script})
    else:
        click.echo(script)
