"""The command line: a group that imports a verb's module only when the verb is called."""

from __future__ import annotations

import importlib
from typing import Any, Final

import click

from edgebench import __version__
from edgebench.cli.common import EXIT_STATUSES, debug_option, guarded, quiet_option, remember_debug

VERBS: Final = {
    "doctor": "Tell whether everything is in order here, and try it on a small scale.",
    "list": "Name the regions, tracks, scenarios, splits, reference agents and learning methods.",
    "fetch": "Download cells from OpenCellID with your token.",
    "build": "Build regions from the bundled sample or from your own cells.",
    "import": "Import the data sets of VAMAPPO and TopoFreeRL as regions, with a data report.",
    "show": "Show what a built region holds, or draw its map.",
    "check": "Build a region again and compare the digests.",
    "diff": "Tell what changed between two built regions.",
    "pack": "Pack a region into one archive to hand on.",
    "add": "Add a region from such an archive.",
    "init": "Write a commented agent to begin with.",
    "play": "Play an episode by hand in the terminal.",
    "train": "Train a learning method under several seeds.",
    "reproduce": "Compute the published tables of learning methods again.",
    "eval": "Score an agent on the test episodes of a track.",
    "explain": "Tell where an agent loses, beside a heuristic.",
    "report": "Write a run as the appendix of a paper: HTML and LaTeX.",
    "record": "Keep trajectories of an agent as a Minari dataset.",
    "submit": "Enter a finished run on the leaderboard.",
    "validate": "Check a run or a submission; list every problem.",
    "verify": "Play a submission again; demand equal episodes.",
    "withdraw": "Take an entry off the leaderboard.",
    "leaderboard": "Write the ranked tables from all submissions.",
    "compat": "Score simple policies by the original formulas of VAMAPPO and TopoFreeRL.",
    "gate": "Prove that a track is a sound problem.",
    "tune": "Search the weights of the tuned reference agent.",
    "completion": "Print the script by which your shell completes verbs, options and names.",
}
"""Verb to one line of help; the verb `build` lives in `edgebench.cli.verb_build`."""


class LazyVerbs(click.Group):
    """A group whose commands are imported on first use, so that `edgebench --help` stays quick."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the group's own options."""
        remember_debug(ctx, args)
        with guarded(ctx):
            return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All verbs, in the order one needs them."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one verb, None if there is no such verb."""
        if cmd_name not in VERBS:
            return None
        from edgebench.registration import load_tracks

        load_tracks()
        module = importlib.import_module(f"edgebench.cli.verb_{cmd_name}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb; an unknown one is refused with the nearest known one."""
        if args and args[0] not in VERBS and not args[0].startswith("-") and not ctx.resilient_parsing:
            from edgebench.errors import unknown_name

            raise unknown_name("verb", args[0], VERBS)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the verbs from `VERBS`, without importing them."""
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))
        with formatter.section("Exit status"):
            formatter.write_dl([(str(status), meaning) for status, meaning in EXIT_STATUSES.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb; what a user can mend is told in three lines, without a traceback."""
        with guarded(ctx):
            return super().invoke(ctx)


@click.command(
    cls=LazyVerbs,
    subcommand_metavar="VERB [ARGS]...",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Example: edgebench eval greedy-estimate --regions s1",
)
@click.version_option(__version__, prog_name="edgebench")
@quiet_option
@debug_option
def main() -> None:
    """Benchmark schedulers of generative-AI work on real edge networks."""
