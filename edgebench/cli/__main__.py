"""`python -m edgebench.cli`: the command line where its script is not on the PATH."""

from __future__ import annotations

from edgebench.cli import main

main(prog_name="edgebench")
